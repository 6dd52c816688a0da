"""Everything that a sync needs, looked at before a client is sent: for `validate --connect`.

Runs to its end: what is wrong in one place doesn't hide what is wrong in another. Only reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from contact_sync.b2core.contract import contract_findings
from contact_sync.b2core.reader import B2Core
from contact_sync.b2core.watched_tables import changes_findings, schedule_finding
from contact_sync.base.errors import ConfigError, ConnectionMissing, told_safely
from contact_sync.base.findings import Area, Finding, Judgement
from contact_sync.config.definition import SyncDefinition
from contact_sync.contacts import mapping
from contact_sync.contacts.destination import Destination
from contact_sync.contacts.hash_keys import NEW_KEY, HashKeys, none_configured
from contact_sync.run.apply_hash_keys import NO_KEY
from contact_sync.run.setup_findings import (
    Account,
    account_findings,
    mapping_findings,
    source_findings,
)
from contact_sync.sendgrid.api import SendGridApi
from contact_sync.state import hash_keys
from contact_sync.state.database import StateDatabase, check_version
from contact_sync.state.for_people.role import state_role
from contact_sync.state.for_people.syncs import SyncRow, sync_row

Look = Callable[["Setup"], Iterator[Finding]]


@dataclass(slots=True)
class Setup:
    """A definition with what opens its three servers, each of which raises ConfigError for a wrong
    connection; and what has been seen of them so far. `reads_clients`: whether the statements'
    own rows are looked at, which takes as long as reading every client."""

    definition: SyncDefinition
    oversights: list[str]
    open_state: Callable[[], StateDatabase]
    open_b2core: Callable[[], B2Core]
    open_sendgrid: Callable[[], SendGridApi]
    hash_keys: Callable[[], HashKeys]
    known: SyncRow | None = None
    columns: pa.Schema | None = None
    account: Account | None = None

    @property
    def before(self) -> Destination | None:
        """What the last run sent to; None before the first one."""
        return self.known.destination if self.known else None

    reads_clients: bool = True


def checklist(setup: Setup) -> Iterator[Finding]:
    """One finding after the other, as each is known; reads every client of B2CORE once, if the
    set-up says so."""
    looks: tuple[tuple[Area, Look], ...] = (
        (Area.DEFINITION, _definition),
        (Area.STATE, _state),
        (Area.B2CORE, _b2core),
        (Area.SENDGRID, _sendgrid),
        (Area.DEFINITION, _mapping),
    )
    for area, look in looks:
        yield from _looked(area, look, setup)


def statements_checklist(setup: Setup) -> Iterator[Finding]:
    """The part of it that is about B2CORE and the statements."""
    yield from _looked(Area.B2CORE, _b2core, setup)


def _looked(area: Area, look: Look, setup: Setup) -> Iterator[Finding]:
    try:
        yield from look(setup)
    except Exception as error:  # noqa: BLE001 only translated: the next look has to be taken
        yield Finding(area, _SUBJECT[area], Judgement.WRONG, str(told_safely(error)))


_SUBJECT = {
    Area.DEFINITION: "mapping", Area.STATE: "connection", Area.B2CORE: "connection",
    Area.SENDGRID: "connection",
}  # fmt: skip


def _definition(setup: Setup) -> Iterator[Finding]:
    for said in setup.oversights:
        yield Finding(Area.DEFINITION, "file", Judgement.WARNING, said)
    if not setup.oversights:
        yield Finding(Area.DEFINITION, "file", Judgement.OK, "every key is right")


def _state(setup: Setup) -> Iterator[Finding]:
    database = setup.open_state()
    with database.transaction() as cursor:
        yield Finding(Area.STATE, "connection", Judgement.OK, setup.definition.connections.state)
        role = state_role(cursor)
        yield role
        if role.judgement is Judgement.WRONG:
            return
        check_version(cursor, database.connection_id)
        yield Finding(Area.STATE, "schema", Judgement.OK, "at this version")
        setup.known = sync_row(cursor, setup.definition.name)
        yield _hash_key(setup, hash_keys.in_use(cursor))


def _hash_key(setup: Setup, in_use: tuple[str, ...]) -> Finding:
    """Whether the hashes have a key, and a run finds it."""
    what, name = "hash key", setup.definition.connections.hash_key
    try:
        keys = setup.hash_keys()
        new = keys.after(in_use)
    except ConnectionMissing:
        if in_use:
            return Finding(Area.STATE, what, Judgement.WRONG, none_configured(in_use))
        return Finding(Area.STATE, what, Judgement.WARNING, NO_KEY, f"{NEW_KEY}  # for {name}")
    except ConfigError as error:
        return Finding(Area.STATE, what, Judgement.WRONG, str(error))
    told = f"{name}: {keys.current.key_id}"
    return Finding(Area.STATE, what, Judgement.OK, f"{told}, from the next run on" if new else told)


def _b2core(setup: Setup) -> Iterator[Finding]:
    source, definition = setup.open_b2core(), setup.definition
    setup.columns, are_right = yield from source_findings(source, definition)
    email = definition.fields["email"].column
    if not are_right or setup.columns is None or email not in setup.columns.names:
        why = "the statements have to be right first"
        yield Finding(Area.B2CORE, "clients", Judgement.SKIPPED, why)
        return
    detection = definition.source.change_detection
    with source.snapshot() as snapshot:
        if definition.is_watched:
            yield schedule_finding(snapshot, definition)
        if setup.reads_clients:
            read = _read_by_a_run(definition, setup.columns)
            yield from contract_findings(snapshot, detection, email, read)
            return
        yield from changes_findings(snapshot, detection)
    told = "whether the statements give every client once was not looked at: it takes long"
    fix = f"python -m contact_sync validate {definition.name} --connect"
    yield Finding(Area.B2CORE, "clients", Judgement.SKIPPED, told, fix)


def _read_by_a_run(definition: SyncDefinition, columns: pa.Schema) -> list[str]:
    """The columns of clients.sql whose values leave B2CORE."""
    wanted = {"client_id", "country_code", "exclusion", mapping.PERSON_KEY, mapping.CLIENT_KEY}
    wanted |= {field.column for field in definition.fields.values()}
    return [name for name in columns.names if name in wanted]


def _sendgrid(setup: Setup) -> Iterator[Finding]:
    api = setup.open_sendgrid()
    try:
        setup.account = yield from account_findings(api, setup.definition, setup.before)
    finally:
        api.close()


def _mapping(setup: Setup) -> Iterator[Finding]:
    """Whether columns and fields fit; both sides are needed for that."""
    if setup.columns is None or setup.account is None:
        why = "the columns of clients.sql and SendGrid's fields are needed for that"
        yield Finding(Area.DEFINITION, "mapping", Judgement.SKIPPED, why)
        return
    definition, known = setup.definition, setup.known
    positions = mapping.field_positions(known.fields if known else [], definition)
    yield from mapping_findings(
        definition, setup.before, positions, setup.columns, setup.account, accept_types=False
    )

"""Everything that a sync needs, looked at before a client is sent: for `validate --connect`.

Runs to its end: what is wrong in one place doesn't hide what is wrong in another. Only reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from contact_sync.b2core.contract import changes_findings, contract_findings
from contact_sync.b2core.reader import B2Core
from contact_sync.base.errors import told_safely
from contact_sync.base.findings import Area, Finding, Judgement
from contact_sync.base.vocabulary import SendGridField
from contact_sync.config.definition import SyncDefinition
from contact_sync.contacts import mapping
from contact_sync.contacts.account_drift import field_drift, list_drift
from contact_sync.sendgrid import scopes
from contact_sync.sendgrid.api import SendGridApi
from contact_sync.state.database import StateDatabase, check_version
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
    known: SyncRow | None = None
    columns: pa.Schema | None = None
    fields: list[SendGridField] = field(default_factory=list)
    list_id: str | None = None
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
        check_version(cursor, database.connection_id)
        yield Finding(Area.STATE, "schema", Judgement.OK, "at this version")
        setup.known = sync_row(cursor, setup.definition.name)


def _b2core(setup: Setup) -> Iterator[Finding]:
    source = setup.open_b2core()
    definition = setup.definition
    detection = definition.source.change_detection
    wrong = 0
    with source.snapshot() as snapshot:
        yield Finding(Area.B2CORE, "connection", Judgement.OK, definition.connections.b2core)
        yield snapshot.role()
        for name in ("clients", "scan", f"changed_{detection}"):
            seen = list(source.seen_problems(name))
            columns = None if seen else snapshot.columns(name)
            if columns is not None and name == "clients":
                setup.columns = columns
            elif columns is not None:
                seen = mapping.contract_problems(name, columns)
            wrong += len(seen)
            for said in seen:
                yield Finding(Area.B2CORE, f"{name}.sql", Judgement.WRONG, said)
        email = definition.fields["email"].column
        if wrong or setup.columns is None or email not in setup.columns.names:
            why = "the statements have to be right first"
            yield Finding(Area.B2CORE, "clients", Judgement.SKIPPED, why)
            return
        if setup.reads_clients:
            yield from contract_findings(snapshot, detection, email)
            return
        yield from changes_findings(snapshot, detection)
        told = "whether the statements give every client once was not looked at: it takes long"
        fix = f"python -m contact_sync validate {definition.name} --connect"
        yield Finding(Area.B2CORE, "clients", Judgement.SKIPPED, told, fix)


def _sendgrid(setup: Setup) -> Iterator[Finding]:
    definition = setup.definition
    api = setup.open_sendgrid()
    try:
        granted = api.scopes()
        missing, too_wide = scopes.missing(granted), scopes.warning(granted)
        if missing:
            said = f"the key lacks the scope {', '.join(missing)}"
            fix = "give it Marketing: Full Access"
            yield Finding(Area.SENDGRID, "key", Judgement.WRONG, said, fix)
            return
        judgement = Judgement.WARNING if too_wide else Judgement.OK
        yield Finding(Area.SENDGRID, "key", judgement, too_wide or "it works and suffices")
        if definition.list is not None:
            lists = api.lists()
            setup.list_id = lists.get(definition.list)
            if setup.list_id is None:
                before = setup.known.destination if setup.known else None
                drifted = list_drift(definition, before, lists)
                yield Finding(Area.SENDGRID, "list", Judgement.WRONG, drifted)
            else:
                yield Finding(Area.SENDGRID, "list", Judgement.OK, definition.list)
        setup.fields = list(api.fields())
    finally:
        api.close()


def _mapping(setup: Setup) -> Iterator[Finding]:
    """Whether columns and fields fit; both sides are needed for that."""
    if setup.columns is None or not setup.fields:
        why = "the columns of clients.sql and SendGrid's fields are needed for that"
        yield Finding(Area.DEFINITION, "mapping", Judgement.SKIPPED, why)
        return
    definition, known = setup.definition, setup.known
    before = known.destination if known else None
    drifted = field_drift(definition, before, setup.fields, accept_types=False)
    positions = mapping.field_positions(known.fields if known else [], definition)
    resolved, problems = mapping.resolve(
        definition, setup.fields, setup.columns, positions, setup.list_id
    )
    said = tuple(f"SendGrid has no field {name!r}:" for name in drifted)
    problems = [*drifted.values(), *(p for p in problems if not p.startswith(said))]
    for problem in problems:
        yield Finding(Area.DEFINITION, "fields", Judgement.WRONG, problem)
    if resolved and not problems:
        many = len(resolved.fields) + 1
        yield Finding(Area.DEFINITION, "fields", Judgement.OK, f"{many} fields are mapped")

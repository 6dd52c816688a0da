"""Preflight: everything a run needs from both sides, checked before a client is read."""

from __future__ import annotations

import logging

import pyarrow as pa

from contact_sync.base.errors import ConfigError
from contact_sync.base.failpoints import reach
from contact_sync.base.vocabulary import RunKind
from contact_sync.contacts import mapping
from contact_sync.contacts.account_drift import field_drift, list_drift
from contact_sync.contacts.destination import Destination
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.forsaken_sync import forsaken_sync
from contact_sync.run.same_account import other_account
from contact_sync.sendgrid import scopes
from contact_sync.state import former_lists, runs
from contact_sync.state.runs import Run, SyncState
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


def check_setup(sync: Sync, run: Run | None) -> mapping.Mapping:
    """Resolve the definition against SendGrid and B2CORE; with `run`, store the result in it.

    Only reads. Raises ConfigError with *all* that is missing and how to fix it, AuthError for a
    refused key.
    """
    definition = sync.definition
    problems: list[str] = []
    granted = sync.sendgrid.scopes()
    if missing := scopes.missing(granted):
        problems.append(
            f"The SendGrid key of connection {definition.connections.sendgrid!r} lacks the scope "
            f"{', '.join(missing)}: give it Marketing: Full Access"
        )
        raise ConfigError(_message(definition.name, problems))
    if too_wide := scopes.warning(granted):
        log.warning("Connection %r: %s", definition.connections.sendgrid, too_wide)
    known = _known(sync, run)
    before = known.destination if known else None
    problems += other_account(sync, run, known)
    list_id = None
    if definition.list is not None:
        lists = sync.sendgrid.lists()
        list_id = lists.get(definition.list)
        if list_id is None:
            problems.append(list_drift(definition, before, lists))
    problems += forsaken_sync(sync, run, known, list_id)
    _tell_refused(sync)
    positions = mapping.field_positions(known.fields if known else [], definition)
    columns, resolved = _source_columns(sync, problems), None
    if columns is not None:
        fields = sync.sendgrid.fields()
        by_hand = run is not None and run.kind is not RunKind.INCREMENTAL
        drifted = field_drift(definition, before, fields, accept_types=by_hand)
        resolved, more = mapping.resolve(definition, fields, columns, positions, list_id)
        said = tuple(f"SendGrid has no field {name!r}:" for name in drifted)
        problems += [*drifted.values(), *(p for p in more if not p.startswith(said))]
    if problems or resolved is None:
        raise ConfigError(_message(definition.name, problems))
    reach("setup_checked")
    if run is not None:
        _store(sync, run, resolved, positions)
    log.info(
        "Setup is right: %d fields mapped, list %s",
        len(resolved.fields) + 1, definition.list or "none",
    )  # fmt: skip
    return resolved


def _source_columns(sync: Sync, problems: list[str]) -> pa.Schema | None:
    """What clients.sql gives, if it can be run; adds what is wrong with any statement."""
    clients = None
    for name in ("clients", "scan", f"changed_{sync.definition.source.change_detection}"):
        try:
            if seen := sync.b2core.seen_problems(name):
                problems += [f"{name}.sql: {problem}" for problem in seen]
                continue
            columns = sync.b2core.columns(name)
        except ConfigError as error:
            problems.append(f"{name}.sql: {error}")
            continue
        if name == "clients":
            clients = columns  # judged together with the mapping
        else:
            problems += mapping.contract_problems(name, columns)
    return clients


def _tell_refused(sync: Sync) -> None:
    """Say which functions of B2CORE's server are refused: nothing fails for that."""
    try:
        with sync.b2core.snapshot() as snapshot:
            refused = snapshot.refused_functions()
    except ConfigError:
        return  # the statements' check says what is wrong
    if refused:
        log.warning(
            "B2CORE's server refuses %s to the role that reads it: a restored or replaced server "
            "is noticed only by what else has changed, and by the full run every "
            "`full_every_hours`. GRANT EXECUTE ON FUNCTION … TO that role mends it",
            ", ".join(refused),
        )


def _known(sync: Sync, run: Run | None) -> SyncState | None:
    if run is None:
        return None
    with sync.state.transaction() as cursor:
        return runs.read_sync(cursor, sync.definition.name)


def _store(sync: Sync, run: Run, resolved: mapping.Mapping, positions: list[str]) -> None:
    with sync.state.transaction(run.fence) as cursor:
        destination = Destination(
            resolved, resolved.version, sync.definition.list, sync.sendgrid.key_mark,
            _former_lists(cursor, sync, run, resolved.list_id),
        )  # fmt: skip
        runs.save_destination(cursor, run.run_id, destination)
        if not run.dry_run:
            runs.save_fields(cursor, run.sync_id, positions)


def _former_lists(cursor: Cursor, sync: Sync, run: Run, here: str | None) -> tuple[str, ...]:
    """Lists on which contacts stay, in order; a list that is left now is one of them, unless the
    contacts leave it, too."""
    before = runs.read_sync(cursor, sync.definition.name).destination
    found = set(before.former_lists) if before else set()
    if sync.definition.on_list_change == "keep":
        found |= former_lists.former_lists(cursor, (run.sync_id, run.run_id))
    return tuple(sorted(found - {here}))


def _message(name: str, problems: list[str]) -> str:
    lines = "\n".join(f"  - {problem}" for problem in problems)
    return f"Sync {name!r} can't run; nothing was read or sent. To fix:\n{lines}"

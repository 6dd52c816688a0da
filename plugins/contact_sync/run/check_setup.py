"""Preflight: everything a run needs from both sides, checked before a client is read."""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import TypeVar, cast

import pyarrow as pa

from contact_sync.base.errors import ConfigError
from contact_sync.base.failpoints import reach
from contact_sync.base.findings import Finding, Judgement
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import RunKind
from contact_sync.contacts import mapping
from contact_sync.contacts.destination import Destination
from contact_sync.contacts.same_mapping import is_same
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.forsaken_sync import forsaken_sync
from contact_sync.run.same_account import other_account
from contact_sync.run.setup_findings import (
    Account,
    account_findings,
    mapping_findings,
    source_findings,
)
from contact_sync.run.still_source import still_source
from contact_sync.state import former_lists, runs
from contact_sync.state.affected import run_before
from contact_sync.state.runs import Run, SyncState
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
Result = TypeVar("Result")


def check_setup(sync: Sync, run: Run | None, *, ask_source: bool = False) -> mapping.Mapping:
    """Resolve the definition against SendGrid and B2CORE; with `run`, store the result in it.

    Where nothing was written into B2CORE since the run before it isn't asked, except with
    `ask_source`. Only reads. Raises ConfigError with *all* that is missing and how to
    fix it, AuthError for a refused key.
    """
    definition = sync.definition
    known = _known(sync, run)
    before = known.destination if known else None
    positions = mapping.field_positions(known.fields if known else [], definition)
    problems: list[str] = []
    account = _judged(account_findings(sync.sendgrid, definition, before), problems)
    if account is None:
        raise ConfigError(_message(definition.name, problems))
    problems += other_account(sync, run, known)
    problems += _key_problems(sync)
    problems += forsaken_sync(sync, run, known, account.list_id)
    by_hand = run is not None and run.kind is not RunKind.INCREMENTAL
    resolved = None
    if run and known and not (ask_source or by_hand):
        resolved = _as_before(sync, run, known, account, positions)
    is_asked, columns = resolved is None, None
    if is_asked:
        columns = _source_columns(sync, problems, ask_role=run is None or by_hand)
    if columns is not None:
        look = mapping_findings(
            definition, before, positions, columns, account, accept_types=by_hand
        )
        resolved = _judged(look, problems)
    if problems or resolved is None:
        raise ConfigError(_message(definition.name, problems))
    reach("setup_checked")
    if run is not None:
        _store(sync, run, resolved, positions, is_asked=is_asked)
    log.info(
        "Setup is right: %s mapped, list %s",
        count(len(resolved.fields) + 1, "field"), definition.list or "none",
    )  # fmt: skip
    return resolved


def _as_before(
    sync: Sync, run: Run, known: SyncState, account: Account, positions: list[str]
) -> mapping.Mapping | None:
    """The mapping of the run before, if B2CORE stands still and the account has all of it."""
    before = known.destination
    if before is None or not is_same(before.mapping, account.fields, positions, account.list_id):
        return None
    with sync.state.transaction() as cursor:
        last = run_before(cursor, run)
    still = still_source(sync, run, known, last, before.mapping.version)
    return None if still is None else before.mapping


def _key_problems(sync: Sync) -> list[str]:
    """What is wrong with the key of kept values, where the definition keeps any."""
    if sync.definition.changes.values == "none":
        return []
    try:
        sync.hash_keys()
    except ConfigError as error:
        return [f"changes: values are to be kept encrypted, and there is no key for that. {error}; "
                f"or say `values: none`"]  # fmt: skip
    return []


def _source_columns(sync: Sync, problems: list[str], *, ask_role: bool) -> pa.Schema | None:
    try:
        look = source_findings(sync.b2core, sync.definition, ask_role=ask_role)
        return _judged(look, problems).columns
    except ConfigError as error:
        problems.append(str(error))
        return None


def _judged(look: Generator[Finding, None, Result], problems: list[str]) -> Result:
    """What the look returns; adds what is wrong to the problems, and logs warnings."""
    while True:
        try:
            finding = next(look)
        except StopIteration as end:
            return cast(Result, end.value)
        said = f"{finding.text}: {finding.fix}" if finding.fix else finding.text
        said = f"{finding.subject}: {said}" if finding.subject.endswith(".sql") else said
        if finding.judgement is Judgement.WRONG:
            problems.append(said)
        elif finding.judgement is Judgement.WARNING:
            log.warning("%s: %s", finding.area, said)


def _known(sync: Sync, run: Run | None) -> SyncState | None:
    if run is None:
        return None
    with sync.state.transaction() as cursor:
        return runs.read_sync(cursor, sync.definition.name)


def _store(
    sync: Sync, run: Run, resolved: mapping.Mapping, positions: list[str], *, is_asked: bool
) -> None:
    with sync.state.transaction(run.fence) as cursor:
        destination = Destination(
            resolved, resolved.version, sync.definition.list, sync.sendgrid.key_mark,
            _former_lists(cursor, sync, run, resolved.list_id), is_asked,
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

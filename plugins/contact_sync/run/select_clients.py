"""Decide which clients a run looks at, from one snapshot of B2CORE and the ledger."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa

from contact_sync.b2core.reader import Snapshot
from contact_sync.b2core.replaced import differing
from contact_sync.base.arrays import Int64
from contact_sync.base.client_life import Fate
from contact_sync.base.errors import ConfigError, RetryableError
from contact_sync.base.failpoints import reach
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.run_life import KindReason, kind_reason
from contact_sync.base.vocabulary import RunKind
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.source import ChangeDetection
from contact_sync.contacts.ledger_rows import KnownClients
from contact_sync.contacts.selection import Scan, choose
from contact_sync.run.context import mapping_of
from contact_sync.run.scan_clients import scan_clients, with_suppressions, without_erased
from contact_sync.run.sending.rejected_contacts import take_back
from contact_sync.state import batches, runs, staging
from contact_sync.state.ledger import (
    count_retiring,
    known_clients,
    observe_absences,
    read_removal_hashes,
)
from contact_sync.state.runs import Run, SyncState
from contact_sync.state.staging import Slice
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
XID_AGE_LIMIT = 2**31 - 10_000_000
"""`age(xid)` is a 32-bit distance (PostgreSQL docs); older horizons say nothing."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run sees when it begins: B2CORE at one moment, and what the sync knows.

    `here`: where the snapshot stands, nothing counted yet. `kind`: what the run has to be, `why`,
    and the `detail` of that. `began`: when, by the state database's clock. `changed`: ids of
    clients with a changed row, of an incremental run only. `taken`: hashes of all addresses that
    have a contact.
    """

    here: SourceSnapshot
    kind: RunKind
    why: KindReason
    detail: str | None
    began: datetime
    scan: Scan
    changed: Int64
    ledger: KnownClients
    taken: Int64


@dataclass(frozen=True, slots=True)
class Selection:
    """Whom a run looks at (columns client_id, email_hash, verdict), and who has gone.

    `gone`: ids that the ledger has and B2CORE hasn't. `held`: their number if they are too many to
    be believed, else 0. `approved`: a person has named exactly this number.
    """

    members: pa.Table
    gone: Int64
    held: int
    approved: bool


def select_clients(sync: Sync, run: Run) -> int:
    """Choose the run's clients and store them as slices; returns the number of slices."""
    take_back(sync, run)
    seen = _look(sync, run)
    selection = _select(sync.definition, run, seen)
    slices = cut_slices(selection.members, sync.definition.tuning.slice_clients)
    _store(sync, run, seen, selection, slices)
    log.info("%s run: %s", str(seen.kind).capitalize(), kind_reason(seen.why, seen.detail))
    log.info(
        "B2CORE has %d clients; %d to look at, in %d slices; %d known ones are gone",
        len(seen.scan.client_id), selection.members.num_rows, len(slices), len(selection.gone),
    )  # fmt: skip
    return len(slices)


def _look(sync: Sync, run: Run) -> Seen:
    """Read B2CORE and, at the same time, the state database."""
    mapping, definition = mapping_of(run), sync.definition
    with sync.state.transaction() as cursor:
        known = runs.read_sync(cursor, definition.name)
    with ThreadPoolExecutor(1) as pool, sync.b2core.snapshot() as snapshot:
        reading = pool.submit(known_clients, sync.state, run.sync_id)  # another server, meanwhile
        detection = str(definition.source.change_detection)
        here = replace(
            snapshot.position(), detection=detection, tables=snapshot.tables(),
            statements=snapshot.texts_hash("clients", "scan", f"changed_{detection}"),
        )  # fmt: skip
        refuse_stale(definition, here)
        kind, why, detail = decide_kind(
            definition, run.kind, known, here, mapping.version, unproven=_doubt(run)
        )
        scan, changed = scan_clients(snapshot), np.empty(0, np.int64)
        if run.only is not None:
            kind, why, detail = trial_kind(run), KindReason.TRIAL, str(len(run.only))
        elif kind is RunKind.INCREMENTAL and known.watermark:
            changed = changed_clients(definition, snapshot, known.watermark)
    scan = with_suppressions(sync, run.sync_id, without_erased(sync, scan))
    ledger = reading.result()
    taken = np.concatenate([ledger.contact_hash, read_removal_hashes(sync.state, run.sync_id)])
    return Seen(here, kind, why, detail, known.now, scan, changed, ledger, taken)


def _select(definition: SyncDefinition, run: Run, seen: Seen) -> Selection:
    """Choose; nothing is read or written."""
    ledger, changed = seen.ledger, seen.changed
    if run.only is not None:
        return _select_trial(run, seen, np.unique(np.array(run.only, np.int64)))
    if run.retry_rejected:
        changed = np.union1d(changed, ledger.client_id[ledger.fate == Fate.REJECTED])
    everyone = seen.kind is not RunKind.INCREMENTAL
    retried = run.retry_rejected or seen.kind is RunKind.RESEND
    members = choose(seen.scan, ledger, changed, seen.taken, everyone=everyone, retried=retried)
    gone = np.setdiff1d(ledger.client_id, seen.scan.client_id, assume_unique=True)
    held = absences_to_hold(definition, run, len(gone), seen.scan, ledger)
    return Selection(members, gone, held, run.approve_removals == len(gone))


def _select_trial(run: Run, seen: Seen, only: Int64) -> Selection:
    """The chosen clients, judged among all others; nobody is taken for gone."""
    if len(missing := np.setdiff1d(only, seen.scan.client_id)):
        raise ConfigError(f"B2CORE has no client {missing[0]}, or it was erased. Nothing was sent")
    retried = run.retry_rejected or seen.kind is RunKind.RESEND
    members = choose(seen.scan, seen.ledger, only, seen.taken, everyone=False, retried=retried)
    chosen = np.isin(np.asarray(members.column("client_id")), only)
    return Selection(members.filter(pa.array(chosen)), np.empty(0, np.int64), 0, approved=False)


def trial_kind(run: Run) -> RunKind:
    """The kind of a trial: what a person asked for, but that of everyone. Raises ConfigError while
    the ledger isn't believed: only an ordinary run proves it."""
    if run.unproven is not None:
        raise ConfigError(
            f"A trial needs a ledger that is believed: {kind_reason(run.unproven)}. Run the sync "
            f"for all clients first. Nothing was sent"
        )
    return RunKind.RESEND if run.kind is RunKind.RESEND else RunKind.INCREMENTAL


def _store(sync: Sync, run: Run, seen: Seen, selection: Selection, slices: list[Slice]) -> None:
    """Store slices and snapshot in place of an earlier try's, and count the absences."""
    ids, gone, approved = (run.sync_id, run.run_id), selection.gone, selection.approved
    with sync.state.transaction(run.fence) as cursor:
        retiring = 0
        if not (selection.held or run.is_trial):
            retiring = count_retiring(cursor, ids, gone, approved=approved)
        everybody = selection.members.num_rows if run.is_trial else len(seen.scan.client_id)
        snapshot = replace(
            seen.here, selected=everybody, chosen=selection.members.num_rows,
            gone=len(gone), held=selection.held, retiring=retiring,
        )  # fmt: skip
        batches.drop_plan(cursor, run.run_id)
        staging.drop_outbox(cursor, run.run_id)
        why = (seen.why, seen.detail)
        runs.save_snapshot(cursor, run.run_id, snapshot, seen.kind, why, seen.began)
        staging.save_slices(cursor, run.run_id, slices)
        if not (run.dry_run or run.is_trial):
            observe_absences(cursor, ids, gone, believed=not selection.held, approved=approved)
        reach("slices_uncommitted")
    reach("clients_selected")


def absences_to_hold(
    definition: SyncDefinition, run: Run, gone: int, scan: Scan, ledger: KnownClients
) -> int:
    """How many absent clients are held: they aren't counted as absent.

    A view that loses rows, an empty replica or the wrong database look like mass deletion. Upserts
    go on; removals of absent clients wait until a person names their exact number.
    """
    limit = definition.limits.removals.of(len(ledger.client_id))
    if gone == 0 or (gone <= limit and len(scan.client_id)):
        return 0
    if run.approve_removals == gone:
        log.info("The removal of %d absent clients is approved", gone)
        return 0
    log.warning(
        "%d clients that were in B2CORE are absent, the limit is %d: none of them is removed. "
        "If they are really gone, trigger a run with `approve removals` = %d",
        gone, limit if len(scan.client_id) else 0, gone,
    )  # fmt: skip
    return gone


def refuse_stale(definition: SyncDefinition, here: SourceSnapshot) -> None:
    """Raise RetryableError when the snapshot is of a standby that is too far behind."""
    behind, limit = here.lag_seconds, definition.source.max_lag_minutes
    if behind > limit * 60:
        raise RetryableError(
            f"The source is stale: the standby is {behind // 60} minutes behind its primary, "
            f"`max_lag_minutes` is {limit}. Nothing was read; the watermark stays. See why it "
            f"doesn't replay, or read the primary"
        )


def decide_kind(
    definition: SyncDefinition,
    asked: RunKind,
    known: SyncState,
    here: SourceSnapshot,
    mapping_version: str,
    *,
    unproven: KindReason | None = None,
) -> tuple[RunKind, KindReason, str | None]:
    """The kind that the run has to be, and why: the code and its detail. `unproven`: why the
    ledger isn't believed."""
    if unproven is not None:
        return RunKind.RESEND, unproven, None
    if asked is not RunKind.INCREMENTAL:
        return asked, KindReason.ASKED_FOR, None
    mark = known.watermark
    if mark is None:
        return RunKind.FULL, KindReason.FIRST_LOAD, None
    age = int(here.next_xid) - int(mark.horizon)
    replaced = differing(mark.tables, here.tables) if mark.tables else []
    reasons = {
        KindReason.MAPPING_CHANGED: known.mapping_version != mapping_version,
        KindReason.SERVER_REPLACED: age < 0 or is_another_server(mark, here),
        KindReason.DETECTION_SWITCHED: mark.detection != here.detection,
        KindReason.STATEMENTS_CHANGED: are_others(mark.statements, here.statements),
        KindReason.XMIN_TOO_OLD: age > XID_AGE_LIMIT,
        KindReason.TABLES_REPLACED: bool(replaced),
        KindReason.SERVER_RESTARTED: are_others(mark.started, here.started),
    }
    for reason, applies in reasons.items():
        if applies:
            detail = ", ".join(replaced) if reason is KindReason.TABLES_REPLACED else None
            return RunKind.FULL, reason, detail
    hours = definition.full_every_hours
    if known.full_age_hours is None or known.full_age_hours >= hours:
        return RunKind.FULL, KindReason.FULL_RUN_DUE, str(hours)
    return RunKind.INCREMENTAL, KindReason.CHANGES_SINCE, mark.read_at


def _doubt(run: Run) -> KindReason | None:
    """Why the run has to believe nothing, unless a person asked for all that and more."""
    asked_for = run.kind is RunKind.RESEND and run.kind_reason != run.unproven
    return None if asked_for else run.unproven


def is_another_server(mark: SourceSnapshot, here: SourceSnapshot) -> bool:
    """Whether it isn't the server, its history or the database that the last run read."""
    return (
        (mark.system_identifier, mark.timeline) != (here.system_identifier, here.timeline)
        or are_others(mark.database, here.database)
    )  # fmt: skip


def are_others(then: str, now: str) -> bool:
    """Whether both are known and differ: servers may refuse to tell."""
    return bool(then and now and then != now)


def changed_clients(definition: SyncDefinition, snapshot: Snapshot, mark: SourceSnapshot) -> Int64:
    """Ids of clients with any contributing row changed since the watermark."""
    if definition.source.change_detection is ChangeDetection.XMIN:
        return snapshot.changed_since_xid(int(mark.horizon))
    overlap = timedelta(minutes=definition.source.overlap_minutes)
    return snapshot.changed_since(datetime.fromisoformat(mark.read_at) - overlap)


def cut_slices(members: pa.Table, slice_clients: int) -> list[Slice]:
    """Slices of about equal numbers of clients, whatever the gaps between ids."""
    count = members.num_rows
    pieces = -(-count // slice_clients)
    bounds = [count * piece // pieces for piece in range(pieces + 1)] if pieces else []
    slices = []
    for number, (start, stop) in enumerate(pairwise(bounds)):
        part = members.slice(start, stop - start)
        ids = part.column("client_id")
        slices.append(Slice(number, ids[0].as_py(), ids[-1].as_py(), part))
    return slices

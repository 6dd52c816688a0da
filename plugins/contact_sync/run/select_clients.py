"""Decide which clients a run looks at, from one snapshot of B2CORE and the ledger."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

import numpy as np
import pyarrow as pa

from contact_sync.b2core.reader import Snapshot
from contact_sync.base.arrays import Int64, united
from contact_sync.base.client_life import Fate
from contact_sync.base.errors import ConfigError
from contact_sync.base.failpoints import reach
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.numbers import count
from contact_sync.base.run_life import KindReason, kind_reason
from contact_sync.base.source_look import Look, LookWhy, SourceCounts, look_in_words
from contact_sync.base.vocabulary import RunKind
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.source import ChangeDetection
from contact_sync.contacts.ledger_rows import KnownClients
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.selection import Scan, choose
from contact_sync.run.absences import absences_to_hold
from contact_sync.run.affected_clients import NO_IDS, NO_LEDGER, NO_SCAN, affected_clients
from contact_sync.run.check_setup import check_setup
from contact_sync.run.context import mapping_of, open_run
from contact_sync.run.decide_look import Asked, Decided, counts_to_keep, decide_look
from contact_sync.run.lost_rows import NOTHING_LOST, Lost, lost_rows, note_rows, rows_now
from contact_sync.run.run_kind import decide_kind, doubt, refuse_stale, trial_kind
from contact_sync.run.scan_clients import (
    changed_clients,
    count_warned,
    scan_clients,
    with_suppressions,
    without_erased,
)
from contact_sync.run.sending.rejected_contacts import take_back
from contact_sync.run.still_source import is_nobody_left, statements_hash, still_source
from contact_sync.state import batches, runs, staging
from contact_sync.state.affected import RunBefore, count_present, run_before
from contact_sync.state.changes import replace_absent
from contact_sync.state.ledger import (
    count_retiring,
    known_clients,
    observe_absences,
    read_removal_hashes,
)
from contact_sync.state.runs import Run
from contact_sync.state.staging import Slice
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run sees when it begins: B2CORE at one moment, and what the sync knows.

    `here`: where the snapshot stands, how much of B2CORE was read, and nothing counted yet. `kind`:
    what the run has to be, `why`, and the `detail` of that. `began`: when, by the state database's
    clock. `scan`: everybody, or only whom changes concern: then `rest` is how many more clients
    B2CORE has. `lost`: whose rows may be gone. `changed`: ids of clients with a changed row, of an
    incremental run only. `ledger`: what the sync knows of those, or of everybody. `taken`: hashes
    of addresses that have a contact.
    """

    here: SourceSnapshot
    kind: RunKind
    why: KindReason
    detail: str | None
    began: datetime
    scan: Scan
    lost: Lost
    changed: Int64
    ledger: KnownClients
    taken: Int64
    rest: int = 0


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
    here = seen.here
    log.info("Read: %s", look_in_words(here.look, here.look_why, here.look_detail))
    log.info(
        "B2CORE has %s; %s to look at, in %s; %s gone",
        count(seen.rest + len(seen.scan.client_id), "client"), f"{selection.members.num_rows:,}",
        count(len(slices), "slice"), count(len(selection.gone), "known one is", "known ones are"),
    )  # fmt: skip
    return len(slices)


def _look(sync: Sync, run: Run) -> Seen:
    """Read B2CORE, as much of it as has to be, and the state database."""
    definition = sync.definition
    with sync.state.transaction() as cursor:
        known = runs.read_sync(cursor, definition.name)
        before = run_before(cursor, run)
    still = None
    if run.destination and not run.destination.is_source_checked:  # it stood still a moment ago
        still = still_source(sync, run, known, before, run.destination.mapping.version)
    if still and before and is_nobody_left(sync, run, before, still.here.counts):
        here = _looked(still.here, still.decided, still.here.counts, known.watermark)
        return Seen(here, *still.kind, known.now, NO_SCAN, NOTHING_LOST, NO_IDS, NO_LEDGER, NO_IDS,
                    rest=here.selected)  # fmt: skip
    mapping = _checked_mapping(sync, run)
    detection = definition.source.change_detection
    with sync.b2core.snapshot(counting=detection is ChangeDetection.XMIN) as snapshot:
        here = replace(
            snapshot.position(), detection=str(detection), tables=snapshot.tables(),
            statements=statements_hash(sync),
        )  # fmt: skip
        refuse_stale(definition, here)
        kind, why, detail = decide_kind(
            definition, run.kind, known, here, mapping.version, unproven=doubt(run)
        )
        if run.only is not None:
            kind, why, detail = trial_kind(run), KindReason.TRIAL, str(len(run.only))
        mark = known.watermark
        lost = lost_rows(sync.state, run, snapshot, (kind, why), mark)
        if lost is None:
            kind, why, detail = RunKind.FULL, KindReason.ROWS_DELETED, None
            lost = rows_now(snapshot)
        asked = Asked(kind, run.is_trial, run.retry_rejected, here, snapshot.counts)
        decided = decide_look(asked, mark, before)
        seen = Seen(here, kind, why, detail, known.now, NO_SCAN, lost, NO_IDS, NO_LEDGER, NO_IDS)
        if decided.look is not Look.WHOLE and before and mark:
            return _look_at_changes(sync, run, snapshot, seen, decided, before, mark)
        return _look_at_all(sync, run, snapshot, seen, decided, mark)


def _checked_mapping(sync: Sync, run: Run) -> Mapping:
    """The run's mapping. What stood still when the setup was checked may have moved since."""
    if run.destination and not run.destination.is_source_checked:
        check_setup(sync, run, ask_source=True)
        run = open_run(sync, run.run_id)
    return mapping_of(run)


def _look_at_all(
    sync: Sync, run: Run, snapshot: Snapshot, seen: Seen, decided: Decided,
    mark: SourceSnapshot | None,
) -> Seen:  # fmt: skip
    """Read all ids and addresses and the changed rows, and at the same time the whole ledger."""
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(known_clients, sync.state, run.sync_id)  # another server, meanwhile
        scan, changed = scan_clients(snapshot, sync.hashing()), seen.lost.clients
        if run.only is None and seen.kind is RunKind.INCREMENTAL and mark:
            changed = np.union1d(changed, changed_clients(sync.definition, snapshot, mark))
        here = _looked(seen.here, decided, snapshot.judged_counts(), mark)
        ledger = reading.result()
    scan = with_suppressions(sync, run.sync_id, without_erased(sync, scan))
    here = replace(here, warned=count_warned(sync, run.sync_id, scan))
    taken = np.concatenate([ledger.contact_hash, read_removal_hashes(sync.state, run.sync_id)])
    return replace(seen, here=here, scan=scan, changed=changed, ledger=ledger, taken=taken)


def _look_at_changes(
    sync: Sync, run: Run, snapshot: Snapshot, seen: Seen, decided: Decided, before: RunBefore,
    mark: SourceSnapshot,
) -> Seen:  # fmt: skip
    """Read the changed rows of tables that moved, and whom they concern; everything if those are
    many."""
    parts = [part for part in (decided.read or {}).items() if part[0] not in seen.lost.read]
    found = [snapshot.changed_in_part(*part) for part in parts]
    changed = united(seen.lost.clients, *found)
    quiet = before.was_quiet
    concerned = affected_clients(sync, run.sync_id, snapshot, changed, quiet=quiet)
    if concerned is None:
        many = Decided(Look.WHOLE, LookWhy.MANY, f"{len(changed)}")
        return _look_at_all(sync, run, snapshot, seen, many, mark)
    here = _looked(seen.here, decided, snapshot.counts, mark)
    scan = with_suppressions(sync, run.sync_id, without_erased(sync, concerned.scan))
    here = replace(here, warned=count_warned(sync, run.sync_id, scan, and_others=True))
    with sync.state.transaction() as cursor:
        rest = mark.selected - count_present(cursor, run.sync_id, concerned.ledger.client_id)
    return replace(
        seen, here=here, scan=scan, changed=changed, ledger=concerned.ledger, taken=concerned.taken,
        rest=rest,
    )  # fmt: skip


def _looked(
    here: SourceSnapshot, decided: Decided, counts: SourceCounts | None, mark: SourceSnapshot | None
) -> SourceSnapshot:
    """The snapshot with what the next run has to know of this look."""
    kept = counts_to_keep(decided, counts, mark, here)
    passed_over = decided.read is not None and kept is not None
    return replace(
        here, look=decided.look, look_why=decided.why, look_detail=decided.detail, counts=kept,
        horizon=str(kept.oldest_horizon) if passed_over and kept else here.horizon,
    )  # fmt: skip


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
    held = absences_to_hold(
        definition, run, len(gone),
        known=seen.rest + len(ledger.client_id), present=seen.rest + len(seen.scan.client_id),
    )  # fmt: skip
    return Selection(members, gone, held, run.approve_removals == len(gone))


def _select_trial(run: Run, seen: Seen, only: Int64) -> Selection:
    """The chosen clients, judged among all others; nobody is taken for gone."""
    if len(missing := np.setdiff1d(only, seen.scan.client_id)):
        raise ConfigError(f"B2CORE has no client {missing[0]}. Nothing was sent")
    retried = run.retry_rejected or seen.kind is RunKind.RESEND
    members = choose(seen.scan, seen.ledger, only, seen.taken, everyone=False, retried=retried)
    chosen = np.isin(np.asarray(members.column("client_id")), only)
    return Selection(members.filter(pa.array(chosen)), np.empty(0, np.int64), 0, approved=False)


def _store(sync: Sync, run: Run, seen: Seen, selection: Selection, slices: list[Slice]) -> None:
    """Store slices and snapshot in place of an earlier try's, and count the absences."""
    ids, gone, approved = (run.sync_id, run.run_id), selection.gone, selection.approved
    with sync.state.transaction(run.fence) as cursor:
        retiring = 0
        if not (selection.held or run.is_trial):
            retiring = count_retiring(cursor, ids, gone, approved=approved)
        everybody = seen.rest + len(seen.scan.client_id)
        everybody = selection.members.num_rows if run.is_trial else everybody
        snapshot = replace(
            seen.here, selected=everybody, chosen=selection.members.num_rows,
            gone=len(gone), held=selection.held, retiring=retiring,
        )  # fmt: skip
        batches.drop_plan(cursor, run.run_id)
        staging.drop_outbox(cursor, run.run_id)
        why = (seen.why, seen.detail)
        runs.save_snapshot(cursor, run.run_id, snapshot, seen.kind, why, seen.began)
        staging.save_slices(cursor, run.run_id, slices)
        replace_absent(cursor, run.run_id, gone)
        if not run.dry_run:
            note_rows(cursor, run, seen.kind, seen.lost, (selection.members, seen.changed))
        if not (run.dry_run or run.is_trial):
            observe_absences(cursor, ids, gone, believed=not selection.held, approved=approved)
        reach("slices_uncommitted")
    reach("clients_selected")


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

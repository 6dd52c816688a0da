"""Decide which clients a run looks at, from one snapshot of B2CORE and the ledger."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from contact_sync.b2core.reader import Snapshot, refuse_twice
from contact_sync.base.errors import RetryableError
from contact_sync.base.failpoints import reach
from contact_sync.base.vocabulary import RunKind
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.source import ChangeDetection
from contact_sync.contacts import emails, text_columns
from contact_sync.contacts.transform import hashes
from contact_sync.postgres.arrow_reader import ahead
from contact_sync.run.context import mapping_of
from contact_sync.state import batches, runs, staging
from contact_sync.state.ledger import (
    Fate,
    KnownClients,
    count_retiring,
    known_clients,
    observe_absences,
    read_removal_hashes,
)
from contact_sync.state.runs import Run, SyncState
from contact_sync.state.staging import Slice
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
Int64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

XID_AGE_LIMIT = 2**31 - 10_000_000
"""`age(xid)` is a 32-bit distance (PostgreSQL docs); older horizons say nothing."""

SEND, SHARED, EXCLUDED, TAKES_OVER = 0, 1, 2, 4
"""Verdicts in a slice's members; TAKES_OVER is added when the address was another client's."""


@dataclass(frozen=True, slots=True)
class Scan:
    """Every client of the snapshot, by id: hash of its address (0 = none) and its exclusion."""

    client_id: Int64
    email_hash: Int64
    excluded: Mask


def select_clients(sync: Sync, run: Run) -> int:
    """Choose the run's clients and store them as slices; returns the number of slices."""
    mapping = mapping_of(run)
    with sync.state.transaction() as cursor:
        known = runs.read_sync(cursor, sync.definition.name)
    with ThreadPoolExecutor(1) as pool, sync.b2core.snapshot() as snapshot:
        reading = pool.submit(known_clients, sync.state, run.sync_id)  # another server, meanwhile
        position = snapshot.position() | {"detection": sync.definition.source.change_detection}
        refuse_stale(sync.definition, position)
        kind, why = decide_kind(sync.definition, run.kind, known, position, mapping.version)
        scan = scan_clients(snapshot)
        changed = scan.client_id
        if kind is RunKind.INCREMENTAL:
            changed = changed_clients(sync.definition, snapshot, known.watermark or {})
    ledger = reading.result()
    taken = np.concatenate([ledger.contact_hash, read_removal_hashes(sync.state, run.sync_id)])
    if run.retry_rejected:
        changed = np.union1d(changed, ledger.client_id[ledger.fate == Fate.REJECTED])
    members = choose(scan, ledger, changed, taken, everyone=kind is not RunKind.INCREMENTAL)
    slices = cut_slices(members, sync.definition.tuning.slice_clients)
    gone = np.setdiff1d(ledger.client_id, scan.client_id, assume_unique=True)
    held = absences_to_hold(sync.definition, run, len(gone), scan, ledger)
    position |= {"selected": len(scan.client_id), "chosen": members.num_rows}
    position |= {"gone": len(gone), "held": held, "retiring": 0}
    approved = run.approve_removals == len(gone)
    with sync.state.transaction(run.fence) as cursor:
        if not held:
            position["retiring"] = count_retiring(
                cursor, (run.sync_id, run.run_id), gone, approved=approved
            )
        batches.drop_plan(cursor, run.run_id)
        staging.drop_outbox(cursor, run.run_id)
        runs.save_snapshot(cursor, run.run_id, position, kind, why)
        staging.save_slices(cursor, run.run_id, slices)
        if not run.dry_run:
            observe_absences(
                cursor, (run.sync_id, run.run_id), gone, believed=not held, approved=approved
            )
        reach("slices_uncommitted")
    reach("clients_selected")
    log.info("%s run: %s", str(kind).capitalize(), why)
    log.info(
        "B2CORE has %d clients; %d to look at, in %d slices; %d known ones are gone",
        len(scan.client_id), members.num_rows, len(slices), len(gone),
    )  # fmt: skip
    return len(slices)


def absences_to_hold(
    definition: SyncDefinition, run: Run, gone: int, scan: Scan, ledger: KnownClients
) -> int:
    """How many absent clients are too many to believe: they aren't even counted as absent.

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
        "%d clients that were in B2CORE are absent, the limit is %d: nothing of them is removed. "
        "If they are really gone, trigger a run with `approve removals` = %d",
        gone, limit, gone,
    )  # fmt: skip
    return gone


def refuse_stale(definition: SyncDefinition, position: dict[str, Any]) -> None:
    """Raise RetryableError when the snapshot is of a standby that is too far behind."""
    behind, limit = position["lag_seconds"], definition.source.max_lag_minutes
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
    position: dict[str, Any],
    mapping_version: str,
) -> tuple[RunKind, str]:
    """The kind that the run has to be, and why."""
    if asked is not RunKind.INCREMENTAL:
        return asked, "asked for"
    mark = known.watermark
    if mark is None:
        return RunKind.FULL, "first load"
    age = int(position["next_xid"]) - int(mark["horizon"])
    reasons = {
        "the mapping, the list or a field id changed": known.mapping_version != mapping_version,
        "B2CORE's server was replaced, restored or failed over": any(
            mark[key] != position[key] for key in ("system_identifier", "timeline")
        )
        or age < 0,
        "the change detection was switched": mark["detection"] != position["detection"],
        "the last run is too long ago for xmin": age > XID_AGE_LIMIT,
        f"the last full run is older than {definition.full_every_hours} hours": (
            known.full_age_hours is None or known.full_age_hours >= definition.full_every_hours
        ),
    }
    for reason, applies in reasons.items():
        if applies:
            return RunKind.FULL, reason
    return RunKind.INCREMENTAL, f"changes since {mark['read_at']}"


def scan_clients(snapshot: Snapshot) -> Scan:
    """Ids and address hashes of all clients; 17 bytes of memory a client."""
    ids, found, excluded = [], [], []
    for batch in ahead(snapshot.scan()):
        address = emails.normalised(pd.Series(batch.column("email"), dtype=text_columns.TEXT))
        ids.append(np.asarray(batch.column("client_id"), np.int64))
        found.append(hashes(text_columns.arrow(address)))
        excluded.append(text_columns.mask_of(pc.is_valid(batch.column("exclusion"))))
    empty = np.empty(0, np.int64)
    client_id = np.concatenate([empty, *ids])
    order = np.argsort(client_id, kind="stable")
    client_id = client_id[order]
    refuse_twice(client_id, "scan")
    return Scan(
        client_id,
        np.concatenate([empty, *found])[order],
        np.concatenate([np.empty(0, bool), *excluded])[order],
    )


def changed_clients(definition: SyncDefinition, snapshot: Snapshot, mark: dict[str, Any]) -> Int64:
    """Ids of clients with any contributing row changed since the watermark."""
    if definition.source.change_detection is ChangeDetection.XMIN:
        return snapshot.changed_since_xid(int(mark["horizon"]))
    overlap = timedelta(minutes=definition.source.overlap_minutes)
    return snapshot.changed_since(datetime.fromisoformat(mark["read_at"]) - overlap)


def choose(
    scan: Scan, ledger: KnownClients, changed: Int64, taken: Int64, *, everyone: bool
) -> pa.Table:
    """The clients to look at with their verdicts: columns client_id, email_hash, verdict.

    Besides the changed ones: new clients, other addresses, unfinished business, and clients whose
    right to a shared address came or went although their own rows didn't change.
    """
    shared = lost_shared_address(scan)
    excluded = barred(scan)
    at, known = ledger.find(scan.client_id)
    chosen = np.ones(len(scan.client_id), bool)
    if not everyone and len(ledger.client_id):
        moved = ledger.email_hash[at] != scan.email_hash
        owner_changed = ledger.excluded[at] != (shared | excluded)
        chosen = ~known | moved | (ledger.fate[at] == Fate.PENDING) | owner_changed
        chosen |= np.isin(scan.client_id, changed, assume_unique=True)
    own = known.copy()
    if len(ledger.client_id):
        own &= ledger.contact_hash[at] == scan.email_hash
    takes_over = ~own & (scan.email_hash != 0)
    takes_over[takes_over] = _among(scan.email_hash[takes_over], taken)
    verdict = np.where(excluded, EXCLUDED, np.where(shared, SHARED, SEND))
    verdict = verdict + np.where(takes_over, TAKES_OVER, 0)
    return pa.table(
        {
            "client_id": scan.client_id[chosen],
            "email_hash": scan.email_hash[chosen],
            "verdict": verdict[chosen].astype(np.int8),
        }
    )


def lost_shared_address(scan: Scan) -> Mask:
    """Clients that share their address with a newer one: the highest id represents an address.

    Compared by 64-bit hashes: two different addresses among ten million collide with a
    probability of 3 in a million.
    """
    ordered = np.sort(scan.email_hash)
    repeated = ordered[:-1][(ordered[:-1] == ordered[1:]) & (ordered[:-1] != 0)]
    sharing = np.flatnonzero(_among(scan.email_hash, repeated))
    order = sharing[np.lexsort((scan.client_id[sharing], scan.email_hash[sharing]))]
    shared = np.zeros(len(scan.client_id), bool)
    shared[order[:-1]] = scan.email_hash[order[:-1]] == scan.email_hash[order[1:]]
    return shared


def barred(scan: Scan) -> Mask:
    """Clients that must not be sent: the excluded ones, and whoever has an address of theirs."""
    addresses = scan.email_hash[scan.excluded & (scan.email_hash != 0)]
    return scan.excluded | _among(scan.email_hash, addresses)


def _among(values: Int64, others: Int64) -> Mask:
    """Which values occur in the others; ten times faster than np.isin, which sorts both at once."""
    if len(others) == 0:
        return np.zeros(len(values), bool)
    ordered = np.sort(others)
    at = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return np.asarray(ordered[at] == values, bool)


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

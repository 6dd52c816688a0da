"""Read the address and the exclusion of every client, from one snapshot of B2CORE."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from contact_sync.b2core.client_ids import refuse_twice
from contact_sync.b2core.reader import Snapshot
from contact_sync.base.arrays import Int64, Mask, among, joined
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.numbers import count
from contact_sync.base.suppressed import KINDS
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.source import ChangeDetection
from contact_sync.contacts.hash_keys import Hashing
from contact_sync.contacts.selection import Scan, scanned, suppressed_kinds
from contact_sync.contacts.tombstones import Tombstones
from contact_sync.postgres.arrow_reader import ahead
from contact_sync.state import suppressed
from contact_sync.state.tombstones import put_up_here
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


def with_suppressions(sync: Sync, sync_id: int, scan: Scan) -> Scan:
    """The same, with the clients that the definition excludes because SendGrid suppresses their
    address, as it was read last."""
    asked = sync.definition.suppressions
    if asked is None:
        return scan
    with sync.state.transaction() as cursor:
        out = suppressed.hashes_in_force(cursor, sync_id, asked.with_policy("exclude"))
    return replace(scan, suppressed=suppressed_kinds(scan.email_hash, out))


def count_warned(
    sync: Sync, sync_id: int, scan: Scan, *, and_others: bool = False
) -> dict[str, int]:
    """How many clients that aren't excluded have an address of which the definition warns, because
    SendGrid suppresses it: by kind, only kinds with any. `and_others`: those who aren't in the
    scan are as the ledger has them."""
    asked = sync.definition.suppressions
    if asked is None:
        return {}
    with sync.state.transaction() as cursor:
        listed = suppressed.hashes_in_force(cursor, sync_id, asked.with_policy("warn"))
        others = (
            suppressed.count_others(cursor, sync_id, list(listed), scan.client_id)
            if and_others else {}
        )  # fmt: skip
    may_be_sent = (scan.email_hash != 0) & ~scan.excluded
    if scan.suppressed is not None:
        may_be_sent &= scan.suppressed == 0
    found = {
        str(kind): int((among(scan.email_hash, hashes) & may_be_sent).sum()) + others.get(kind, 0)
        for kind, hashes in listed.items()
    }
    for kind, n in found.items():
        if n:
            log.warning(
                "Sent although SendGrid suppresses the address: %s, %s",
                count(n, "client"),
                KINDS[kind],
            )
    return {kind: n for kind, n in found.items() if n}


def without_erased(sync: Sync, scan: Scan) -> Scan:
    """The same without clients who were erased: for a run they are as if B2CORE didn't have them.
    Their number is logged, and nothing else of them. Who was erased in another sync, and is seen
    here for the first time, gets a tombstone here: the address may be another one soon."""
    tombstones = sync.tombstones()
    if not tombstones:
        return scan
    erased = tombstones.cover(scan.client_id, scan.email_hash)
    if erased.any():
        _note_erased_elsewhere(sync, tombstones, scan, erased)
        log.info(
            "Left out, because erased on request: %s",
            count(int(erased.sum()), "client of B2CORE", "clients of B2CORE"),
        )
    left = ~erased
    return Scan(scan.client_id[left], scan.email_hash[left], scan.excluded[left])


def _note_erased_elsewhere(sync: Sync, tombstones: Tombstones, scan: Scan, erased: Mask) -> None:
    ids, addresses = scan.client_id[erased], scan.email_hash[erased]
    new = ~tombstones.cover(ids, np.zeros_like(addresses))
    if not new.any():
        return
    with sync.state.transaction() as cursor:
        for tags in tombstones.tags(ids[new], addresses[new]):
            put_up_here(cursor, sync.definition.name, *tags)


def scan_clients(snapshot: Snapshot, hashing: Hashing) -> Scan:
    """Ids and address hashes of all clients, by id; 17 bytes of memory a client."""
    return collected(ahead(snapshot.scan()), "scan", hashing)


def collected(batches: Iterable[pa.RecordBatch], statement: str, hashing: Hashing) -> Scan:
    """The rows by id. Raises FatalError when a client came twice."""
    parts: list[tuple[Any, ...]] = [
        (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, bool))
    ]
    for batch in batches:
        part = scanned(batch, hashing)
        parts.append((part.client_id, part.email_hash, part.excluded))
    client_id, email_hash, excluded = joined(parts)
    order: Int64 | slice = slice(None)  # as they come from most sources; copies nothing
    if not bool((client_id[:-1] < client_id[1:]).all()):
        order = np.argsort(client_id, kind="stable")
    client_id = client_id[order]
    refuse_twice(client_id, statement)
    return Scan(client_id, email_hash[order], excluded[order])


def changed_clients(definition: SyncDefinition, snapshot: Snapshot, mark: SourceSnapshot) -> Int64:
    """Ids of clients with any contributing row changed since the watermark."""
    if definition.source.change_detection is ChangeDetection.XMIN:
        return snapshot.changed_since_xid(int(mark.horizon))
    overlap = timedelta(minutes=definition.source.overlap_minutes)
    return snapshot.changed_since(datetime.fromisoformat(mark.read_at) - overlap)

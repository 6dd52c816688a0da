"""Read the address and the exclusion of every client, from one snapshot of B2CORE."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from contact_sync.b2core.client_ids import refuse_twice
from contact_sync.b2core.reader import Snapshot
from contact_sync.base.arrays import among
from contact_sync.base.suppressed import KINDS
from contact_sync.contacts.selection import Scan, scanned, suppressed_kinds
from contact_sync.postgres.arrow_reader import ahead
from contact_sync.state import suppressed
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


def with_suppressions(sync: Sync, sync_id: int, scan: Scan) -> Scan:
    """The same, with the clients that the definition excludes because SendGrid suppresses their
    address, as it was read last; those that it warns of are counted in the log."""
    asked = sync.definition.suppressions
    if asked is None:
        return scan
    excluding, warning = asked.with_policy("exclude"), asked.with_policy("warn")
    with sync.state.transaction() as cursor:
        out = suppressed.hashes_in_force(cursor, sync_id, excluding)
        listed = suppressed.hashes_in_force(cursor, sync_id, warning)
    for kind, hashes in listed.items():
        if n := int((among(scan.email_hash, hashes) & (scan.email_hash != 0)).sum()):
            log.warning("%d clients are sent although SendGrid suppresses them: %s", n, KINDS[kind])
    return replace(scan, suppressed=suppressed_kinds(scan.email_hash, out))


def without_erased(sync: Sync, scan: Scan) -> Scan:
    """The same without clients who were erased: for a run they are as if B2CORE didn't have them.
    Their number is logged, and nothing else of them."""
    tombstones = sync.tombstones()
    if not tombstones:
        return scan
    erased = tombstones.cover(scan.client_id, scan.email_hash)
    if erased.any():
        log.info("%d clients of B2CORE were erased on request: they are left out", erased.sum())
    left = ~erased
    return Scan(scan.client_id[left], scan.email_hash[left], scan.excluded[left])


def scan_clients(snapshot: Snapshot) -> Scan:
    """Ids and address hashes of all clients, by id; 17 bytes of memory a client."""
    empty = Scan(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, bool))
    parts = [empty, *(scanned(batch) for batch in ahead(snapshot.scan()))]
    client_id = np.concatenate([part.client_id for part in parts])
    order = np.argsort(client_id, kind="stable")
    client_id = client_id[order]
    refuse_twice(client_id, "scan")
    return Scan(
        client_id,
        np.concatenate([part.email_hash for part in parts])[order],
        np.concatenate([part.excluded for part in parts])[order],
    )

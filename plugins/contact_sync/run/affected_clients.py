"""Whom changes in B2CORE concern: the changed clients, those who wait, and who shares an address
with one of them, now or before. Everybody else is judged as before.

Why nobody else is: a client is judged by its own row of scan.sql, by the rows of those who have its
address, and by the ledger rows of these (contacts.selection). Whoever is in no such group has the
row that it had, because no count and no `xmin` tells of another one, and a ledger row that an
incremental run left as judged. What runs change of a ledger row afterwards makes a client pending,
its address unknown (both wait), or rejected, which counts only where an address is shared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from contact_sync.b2core.reader import Snapshot
from contact_sync.base.arrays import Int64, united
from contact_sync.contacts.hash_keys import Hashing
from contact_sync.contacts.ledger_rows import KnownClients
from contact_sync.contacts.selection import Scan
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.scan_clients import collected
from contact_sync.state import address_index, affected
from contact_sync.state.database import StateDatabase
from contact_sync.state.ledger import ledger_rows
from contact_sync.sync import Databases

MANY = 50_000
"""From so many clients on it is cheaper to read everything."""
MOST_ROUNDS = 10
NO_IDS = np.empty(0, np.int64)
NO_SCAN = Scan(NO_IDS, NO_IDS, np.empty(0, bool))
NO_LEDGER = KnownClients(NO_IDS, NO_IDS, NO_IDS, np.empty(0, np.int16), np.empty(0, np.int16))


@dataclass(frozen=True, slots=True)
class Affected:
    """These clients, as B2CORE has them and as the ledger knows them; `taken`: those of their
    addresses that have a contact."""

    scan: Scan
    ledger: KnownClients
    taken: Int64


def affected_clients(
    sync: Databases, sync_id: int, snapshot: Snapshot, changed: Int64, *, quiet: bool
) -> Affected | None:
    """None = they are too many, or not found by an index. `quiet`: the run before found nothing to
    do, so that no rejection is news."""
    hashing = sync.hashing()
    with sync.state.transaction() as cursor:
        if not address_index.is_there(cursor):
            return None
        found = united(changed, affected.waiting(cursor, sync_id))
        if not quiet:
            found = united(found, affected.rejected_sharing(cursor, sync_id))
        if len(found) == 0:
            return Affected(NO_SCAN, NO_LEDGER, NO_IDS)
        scan = _with_sharers(cursor, sync_id, (snapshot, hashing), found)
        if scan is None:
            return None
        ids, rows = scan
        taken = affected.taken(cursor, sync_id, np.unique(rows.email_hash[rows.email_hash != 0]))
    return Affected(rows, _known(sync.state, sync_id, ids), taken)


def _with_sharers(
    cursor: Cursor, sync_id: int, source: tuple[Snapshot, Hashing], found: Int64
) -> tuple[Int64, Scan] | None:
    """The clients and all who share an address with one of them, then or now, and their rows. Who
    is found has other addresses than the ledger knows only if it is among the changed ones, so that
    the second round finds nobody more, as a rule."""
    ids, rows, hashes = NO_IDS, NO_SCAN, NO_IDS
    (snapshot, hashing), coming = source, found
    for _ in range(MOST_ROUNDS):
        if len(ids) + len(coming) > MANY:
            return None
        if len(coming) == 0:
            return ids, rows
        more = collected(snapshot.addresses_of(coming), "scan", hashing)
        rows = _joined(rows, more)
        ids = np.union1d(ids, coming)
        before = affected.addresses_of(cursor, sync_id, coming)
        new = np.setdiff1d(np.union1d(before, more.email_hash[more.email_hash != 0]), hashes)
        hashes = np.union1d(hashes, new)
        coming = np.setdiff1d(affected.sharing(cursor, sync_id, new), ids)
    return None


def _joined(some: Scan, others: Scan) -> Scan:
    ids = np.concatenate([some.client_id, others.client_id])
    order = np.argsort(ids, kind="stable")
    return Scan(
        ids[order],
        np.concatenate([some.email_hash, others.email_hash])[order],
        np.concatenate([some.excluded, others.excluded])[order],
    )


def _known(state: StateDatabase, sync_id: int, ids: Int64) -> KnownClients:
    rows = ledger_rows(state, sync_id, ids)
    return rows.without(np.setdiff1d(rows.client_id, ids, assume_unique=True))

"""Find the clients that an address leads to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from contact_sync.b2core.reader import Snapshot
from contact_sync.base.client_life import Fate
from contact_sync.contacts import emails, text_columns
from contact_sync.contacts.hash_keys import Hashing
from contact_sync.contacts.mapping import CLIENT_KEY
from contact_sync.contacts.selection import scanned
from contact_sync.postgres.cursor import Cursor
from contact_sync.state.for_people import client as known_clients
from contact_sync.state.for_people.client import MAX_FOUND, ClientOfAddress
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.syncs import SyncRow, sync_row
from contact_sync.state.suppressed import address_hashes
from contact_sync.sync import Databases

SECONDS = 20
"""A person waits: a statement of B2CORE that takes longer is given up."""
Hashed = tuple[int, Hashing]
"""An address's hash, and how it was made."""


@dataclass(frozen=True, slots=True)
class Match:
    """A client that an address leads to: it has the address in B2CORE, or its contact has it."""

    client_id: int
    client_key: str | None
    in_b2core: bool
    state: str | None
    has_contact: bool


def find_clients(sync: Databases, email: str, *, thorough: bool) -> list[Match]:
    """The clients of an address, however it is written; at most MAX_FOUND, the newest first.

    Those that the sync knows are asked for their addresses in B2CORE. All of B2CORE's addresses
    are read (half a second per million) if it knows nobody, or `thorough`: then clients are found
    too that have come, or have taken the address, since the last run.
    """
    hashing = sync.hashing()
    address = normalised(email)
    if not address:
        return []
    (email_hash,) = address_hashes([address], hashing)
    known: dict[int, ClientOfAddress] = {}
    with reading(sync.state) as cursor:
        look = sync_row(cursor, sync.definition.name)
        if look:
            rows = known_clients.clients_of_address(cursor, look.sync_id, email_hash)
            known = {row.client_id: row for row in rows}
    with short_snapshot(sync) as snapshot:
        now = set(still_with(snapshot, (email_hash, hashing), list(known)))
        if thorough or not known:
            now |= set(everybody_with(snapshot, address, (email_hash, hashing)))
        found = sorted(now | known.keys(), reverse=True)[:MAX_FOUND]
        has_keys = bool(look and look.destination and look.destination.mapping.has_client_key)
        with reading(sync.state) as cursor:
            keys = keys_of(found, (cursor, look), snapshot, has_keys=has_keys)
    return [
        Match(
            client_id=client,
            client_key=keys.get(client),
            in_b2core=client in now,
            state=Fate.of(known[client].state).counted_as.word if client in known else None,
            has_contact=client in known and known[client].has_contact,
        )
        for client in found
    ]


def normalised(email: str) -> str:
    """An address as the sync compares it; "" for none."""
    column = emails.normalised(pd.Series([email], dtype=text_columns.TEXT))
    return text_columns.arrow(column)[0].as_py() or ""


@contextmanager
def short_snapshot(sync: Databases) -> Iterator[Snapshot]:
    """A snapshot whose statements end soon: a person waits."""
    limit = min(SECONDS, sync.b2core.statement_timeout_seconds)
    with replace(sync.b2core, statement_timeout_seconds=limit).snapshot() as snapshot:
        yield snapshot


def everybody_with(snapshot: Snapshot, address: str, hashed: Hashed) -> dict[int, str | None]:
    """Client id → exclusion of everybody in B2CORE with this address, by reading all of them;
    `hashed`: its hash, and how that was made."""
    part = address.rpartition("@")[0] or address
    return _at(snapshot.addresses_with(part), hashed)


def still_with(snapshot: Snapshot, hashed: Hashed, ids: list[int]) -> dict[int, str | None]:
    """Client id → exclusion of those in B2CORE who have this address now, as runs compare it."""
    if not ids:
        return {}
    return _at(snapshot.addresses_of(np.array(ids, np.int64)), hashed)


def _at(batches: Iterator[pa.RecordBatch], hashed: Hashed) -> dict[int, str | None]:
    email_hash, hashing = hashed
    found: dict[int, str | None] = {}
    for batch in batches:
        same = scanned(batch, hashing).email_hash == email_hash
        rows = batch.filter(pa.array(same)).to_pylist()
        found |= {row["client_id"]: row["exclusion"] for row in rows}
    return found


def addresses_of(sync: Databases, ids: list[int]) -> dict[int, str]:
    """Client id → address as it stands in B2CORE, of those that have one."""
    found: dict[int, str] = {}
    with short_snapshot(sync) as snapshot:
        for batch in snapshot.addresses_of(np.array(ids, np.int64)):
            rows = batch.to_pylist()
            found |= {row["client_id"]: row["email"] for row in rows if row["email"]}
    return found


def keys_of(
    ids: Iterable[int], state: tuple[Cursor, SyncRow | None], snapshot: Snapshot, *, has_keys: bool
) -> dict[int, str]:
    """Client id → key of those that have one: as runs have noted them, and as B2CORE has the
    others; `has_keys`: whether clients.sql gives any."""
    wanted = set(ids)
    cursor, look = state
    found = known_clients.keys_of(cursor, look.sync_id, wanted) if look else {}
    others = np.array(sorted(wanted - found.keys()), np.int64)
    if not (has_keys and len(others)):
        return found
    bounds = int(others[0]), int(others[-1])
    for batch in snapshot.clients(["client_id", CLIENT_KEY], *bounds, others):
        rows = batch.to_pylist()
        found |= {row["client_id"]: row[CLIENT_KEY] for row in rows if row[CLIENT_KEY] is not None}
    return found

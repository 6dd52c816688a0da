"""Both sides of a verification as hashes, for the database to join them (state/comparing.py)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from psycopg.types.json import Jsonb

from contact_sync.base.arrays import Int64
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.verdicts import Count
from contact_sync.postgres import arrow_reader
from contact_sync.postgres.copying import copy_batches
from contact_sync.postgres.cursor import Cursor, analyze, many, one
from contact_sync.state import statements
from contact_sync.state.database import WHAT, StateDatabase
from contact_sync.state.verifications import Verification, writing

SQL = statements.load("sides")
CONTACTS = pa.schema(
    [
        ("verification_id", pa.int64()),
        ("email_hash", pa.int64()),
        ("on_list", pa.bool_()),
        ("updated_at", pa.timestamp("us", "UTC")),
        ("field_hashes", pa.binary()),
        ("unclear", pa.int64()),
        ("email", pa.string()),
    ]
)
"""A contact of the export; columns of verify_contact."""
CLIENTS = pa.schema(
    [
        ("verification_id", pa.int64()),
        ("client_id", pa.int64()),
        ("email_hash", pa.int64()),
        ("calls_for", pa.string()),
        ("waits", pa.bool_()),
        ("field_hashes", pa.binary()),
        ("left_out", pa.int64()),
    ]
)
"""What a client calls for; columns of verify_client."""


def add_contacts(
    state: StateDatabase, verification: Verification, chunks: Iterable[pa.RecordBatch]
) -> int:
    """Store the account's side in place of what an earlier try stored, chunk by chunk; returns how
    many contacts there are. Raises Fenced."""
    ids = {"verification_id": verification.verification_id}
    with writing(state, verification) as cursor:
        cursor.execute(SQL["drop_sides_of_others"])
        cursor.execute(SQL["drop_contacts"], ids)
    for chunk in chunks:
        with writing(state, verification) as cursor:
            copy_batches(cursor, "contact_sync.verify_contact", CONTACTS, [chunk])
    with writing(state, verification) as cursor:
        cursor.execute(SQL["unite_doubles"], ids)
        analyze(cursor, "contact_sync.verify_contact")
        return int(one(cursor, SQL["count_sides"], ids)["contacts"])


def contacts_loaded(
    cursor: Cursor, verification: Verification, export_hash: str, contacts: int
) -> None:
    """The account's side is complete."""
    parameters = {
        "verification_id": verification.verification_id, "export_hash": export_hash,
        "counts": Jsonb({Count.CONTACTS: contacts}),
    }  # fmt: skip
    cursor.execute(SQL["contacts_loaded"], parameters)


def begin_reading(state: StateDatabase, verification: Verification) -> None:
    """Drop what an earlier try read of B2CORE; what changes from now on may be a race."""
    ids = {"verification_id": verification.verification_id}
    with writing(state, verification) as cursor:
        cursor.execute(SQL["drop_sides_of_others"])
        cursor.execute(SQL["drop_clients"], ids)
        cursor.execute(SQL["begin_reading"], ids)


def add_clients(state: StateDatabase, verification: Verification, chunk: pa.RecordBatch) -> None:
    """Store a part of B2CORE's side. Raises Fenced."""
    with writing(state, verification) as cursor:
        copy_batches(cursor, "contact_sync.verify_client", CLIENTS, [chunk])


def clients_loaded(
    state: StateDatabase, verification: Verification, snapshot: SourceSnapshot
) -> int:
    """B2CORE's side is complete; returns how many clients there are."""
    ids = {"verification_id": verification.verification_id}
    with writing(state, verification) as cursor:
        analyze(cursor, "contact_sync.verify_client")
        clients = int(one(cursor, SQL["count_sides"], ids)["clients"])
        counts = Jsonb({Count.CLIENTS: clients})
        loaded = {"snapshot": Jsonb(snapshot.to_json()), "counts": counts}
        cursor.execute(SQL["clients_loaded"], ids | loaded)
    return clients


def has_both(cursor: Cursor, verification: Verification) -> bool:
    """Whether both sides are still as they were stored: the tables are emptied when the database's
    server crashes."""
    stored = one(cursor, SQL["count_sides"], {"verification_id": verification.verification_id})
    return all(stored[side] == verification.counts.get(side) for side in ("contacts", "clients"))


def lose_sides(cursor: Cursor, verification: Verification) -> None:
    """Both sides have to be read again."""
    cursor.execute(SQL["lose_sides"], {"verification_id": verification.verification_id})


def contact_hashes(state: StateDatabase, sync_id: int) -> Int64:
    """Hashes of the addresses of all contacts that the ledger knows, ascending; 8 bytes each."""
    query = statements.with_values(SQL["contact_hashes"], sync_id=sync_id)
    with state.reader() as connection:
        parts = [
            np.array(batch.column("contact_hash"), np.int64)
            for batch in arrow_reader.record_batches(connection, query, WHAT)
        ]
    found = np.concatenate([np.empty(0, np.int64), *parts])
    found.sort()
    return found


def is_running(cursor: Cursor, sync_id: int) -> bool:
    """Whether a run of the sync is under way."""
    return bool(one(cursor, SQL["is_running"], {"sync_id": sync_id})["found"])


def stale_fields(cursor: Cursor, sync_id: int, first_id: int, last_id: int) -> tuple[Int64, Int64]:
    """Clients of a range, ascending, that have values at SendGrid which B2CORE emptied and nobody
    can clear, and the masks of these fields."""
    parameters = {"sync_id": sync_id, "first_id": first_id, "last_id": last_id}
    rows = many(cursor, SQL["stale_fields"], parameters)
    ids, masks = ([row[name] for row in rows] for name in ("client_id", "stale"))
    return np.array(ids, np.int64), np.array(masks, np.int64)


def drop_sides(cursor: Cursor, verification: Verification) -> None:
    """Forget both sides; what was found stays."""
    ids = {"verification_id": verification.verification_id}
    cursor.execute(SQL["drop_contacts"], ids)
    cursor.execute(SQL["drop_clients"], ids)

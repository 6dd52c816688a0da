"""Both sides of a verification as hashes, for the database to compare them (state/comparing.py)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import LiteralString

import numpy as np
import pyarrow as pa
from psycopg.types.json import Jsonb

from contact_sync.base.arrays import Int64, are_in
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.verdicts import CallsFor, Count
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
        ("is_called_for", pa.bool_()),
        ("on_list", pa.bool_()),
        ("updated_at", pa.timestamp("us", "UTC")),
        ("row_hash", pa.int64()),
        ("field_hashes", pa.binary()),
        ("unclear", pa.int64()),
        ("email", pa.string()),
    ]
)
"""A contact that no client calls for as it is; columns of verify_contact."""
CLIENTS = pa.schema(
    [
        ("verification_id", pa.int64()),
        ("client_id", pa.int64()),
        ("email_hash", pa.int64()),
        ("calls_for", pa.string()),
        ("waits", pa.bool_()),
        ("row_hash", pa.int64()),
        ("left_out", pa.int64()),
    ]
)
"""What a client calls for; columns of verify_client."""
UNEQUAL = pa.schema(
    [
        ("verification_id", pa.int64()),
        ("client_id", pa.int64()),
        ("field_hashes", pa.binary()),
        ("has_moved", pa.bool_()),
    ]
)
"""A client whose contact isn't exactly so; columns of verify_unequal."""


def begin_contacts(state: StateDatabase, verification: Verification) -> None:
    """Drop what an earlier try stored of the account's side. Raises Fenced."""
    ids = {"verification_id": verification.verification_id}
    with writing(state, verification) as cursor:
        cursor.execute(SQL["drop_sides_of_others"])
        cursor.execute(SQL["drop_contacts"], ids)
        cursor.execute(SQL["drop_unequal"], ids)


def add_contacts(state: StateDatabase, verification: Verification, chunk: pa.RecordBatch) -> None:
    """Store contacts of the account's side. Raises Fenced."""
    _add(state, verification, "contact_sync.verify_contact", chunk)


def add_unequal(state: StateDatabase, verification: Verification, chunk: pa.RecordBatch) -> None:
    """Store which clients have no contact that is exactly so. Raises Fenced."""
    _add(state, verification, "contact_sync.verify_unequal", chunk)


def _add(
    state: StateDatabase, verification: Verification, table: LiteralString, chunk: pa.RecordBatch
) -> None:
    if chunk.num_rows:
        with writing(state, verification) as cursor:
            cursor.execute(SQL["unflushed"])
            copy_batches(cursor, table, chunk.schema, [chunk])


def contacts_loaded(
    cursor: Cursor, verification: Verification, export_hash: str, called_for: int
) -> int:
    """The account's side is complete, with so many contacts that clients call for; returns how
    many contacts there are at all."""
    ids = {"verification_id": verification.verification_id}
    cursor.execute(SQL["unite_doubles"], ids)
    analyze(cursor, "contact_sync.verify_contact")
    analyze(cursor, "contact_sync.verify_unequal")
    contacts = called_for + int(one(cursor, SQL["count_others"], ids)["n"])
    loaded = {"export_hash": export_hash, "counts": Jsonb({Count.CONTACTS: contacts})}
    cursor.execute(SQL["contacts_loaded"], ids | loaded)
    return contacts


def begin_reading(state: StateDatabase, verification: Verification) -> None:
    """Drop what an earlier try read of B2CORE; what changes from now on may be a race."""
    ids = {"verification_id": verification.verification_id}
    with writing(state, verification) as cursor:
        cursor.execute(SQL["drop_sides_of_others"])
        cursor.execute(SQL["drop_clients"], ids)
        cursor.execute(SQL["begin_reading"], ids)


def add_clients(state: StateDatabase, verification: Verification, chunk: pa.RecordBatch) -> None:
    """Store a part of B2CORE's side. Raises Fenced."""
    _add(state, verification, "contact_sync.verify_client", chunk)


def clients_loaded(
    state: StateDatabase, verification: Verification, snapshot: SourceSnapshot
) -> int:
    """B2CORE's side is complete; returns how many clients there are."""
    ids = {"verification_id": verification.verification_id}
    with writing(state, verification) as cursor:
        analyze(cursor, "contact_sync.verify_client")
        clients = int(one(cursor, SQL["count_clients"], ids)["n"])
        counts = Jsonb({Count.CLIENTS: clients})
        loaded = {"snapshot": Jsonb(snapshot.to_json()), "counts": counts}
        cursor.execute(SQL["clients_loaded"], ids | loaded)
    return clients


def has_both(cursor: Cursor, verification: Verification) -> bool:
    """Whether both sides are still as they were stored: the tables are emptied when the database's
    server crashes."""
    return bool(
        one(cursor, SQL["has_both"], {"verification_id": verification.verification_id})["has"]
    )


def has_clients(state: StateDatabase, verification: Verification) -> bool:
    """Whether B2CORE's side is still as it was stored; if not, it has to be read again."""
    with writing(state, verification) as cursor:
        ids = {"verification_id": verification.verification_id}
        found = int(one(cursor, SQL["count_clients"], ids)["n"])
        if found == verification.counts.get(Count.CLIENTS):
            return True
        lose_sides(cursor, verification)
    return False


def lose_sides(cursor: Cursor, verification: Verification) -> None:
    """Both sides have to be read again, and what was found of them is nothing."""
    cursor.execute(SQL["lose_sides"], {"verification_id": verification.verification_id})


def called_for(state: StateDatabase, verification: Verification) -> Iterator[pa.RecordBatch]:
    """The clients that call for a contact, in no order: `client_id`, `email_hash`, `row_hash`, and
    `is_exact` = no field may hold anything that B2CORE doesn't have."""
    query = statements.with_values(SQL["called_for"], verification_id=verification.verification_id)
    with state.reader() as connection:
        yield from arrow_reader.record_batches(connection, query, WHAT)


def other_contacts(state: StateDatabase, sync_id: int, called_for: Int64) -> Int64:
    """Hashes of the addresses of all contacts that the ledger knows and no client calls for,
    ascending. `called_for`: hashes of those that clients call for, ascending."""
    query = statements.with_values(SQL["contact_hashes"], sync_id=sync_id)
    parts = [np.empty(0, np.int64)]
    with state.reader() as connection:
        for batch in arrow_reader.record_batches(connection, query, WHAT):
            hashes = np.asarray(batch.column("contact_hash"), np.int64)
            parts.append(hashes[~are_in(called_for, hashes)])
    return np.sort(np.concatenate(parts))


def rejected_clients(state: StateDatabase, sync_id: int) -> tuple[Int64, Int64]:
    """Ids of the clients that the ledger calls rejected, and the hashes of their addresses."""
    query = statements.with_values(SQL["rejected_clients"], sync_id=sync_id)
    with state.reader() as connection:
        found = arrow_reader.table(connection, query, WHAT)
    client_id, email_hash = (np.asarray(c.combine_chunks(), np.int64) for c in found.columns)
    return client_id, email_hash


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
    cursor.execute(SQL["drop_unequal"], ids)
    cursor.execute(SQL["drop_clients"], ids)


def count_calls(cursor: Cursor, verification_id: int) -> dict[CallsFor, int]:
    """How many of B2CORE's clients call for a contact, or why for none."""
    rows = many(cursor, SQL["count_calls"], {"verification_id": verification_id})
    return {CallsFor(row["calls_for"]): int(row["n"]) for row in rows}

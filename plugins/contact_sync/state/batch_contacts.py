"""The contacts of a batch: outbox rows in a range of client ids, while it is in flight."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from contact_sync.base.arrays import Int64
from contact_sync.contacts.payloads import OutboxRow
from contact_sync.postgres import arrow_reader
from contact_sync.postgres.cursor import Cursor, many, one
from contact_sync.state import statements
from contact_sync.state.database import WHAT, StateDatabase
from contact_sync.state.staging import Unsure, held_parameters

SQL = statements.load("batch_contacts")


def batch_contacts(cursor: Cursor, batch_id: int) -> list[dict[str, Any]]:
    """client_id, email, payload and clears of a JSON batch; at most 30 000 contacts, 3.9 MB."""
    return many(cursor, SQL["batch_contacts"], {"batch_id": batch_id})


def outbox_rows(contacts: list[dict[str, Any]]) -> list[OutboxRow]:
    """The same as what `payloads` takes."""
    return [OutboxRow(row["email"], row["payload"], row["clears"]) for row in contacts]


def count_contacts(cursor: Cursor, batch_id: int) -> int:
    """How many contacts the batch has now; some may have been taken out since it was planned."""
    return int(one(cursor, SQL["count_contacts"], {"batch_id": batch_id})["n"])


def has_contacts(cursor: Cursor, batch_id: int) -> bool:
    """Whether the batch has any contact left."""
    return bool(one(cursor, SQL["has_contacts"], {"batch_id": batch_id})["found"])


def addresses_to_suppress(cursor: Cursor, batch_id: int) -> dict[int, dict[int, str]]:
    """Group, 0 = everywhere → client id → address of the contacts that must be suppressed before
    they are uploaded."""
    found: dict[int, dict[int, str]] = {}
    for row in many(cursor, SQL["addresses_to_suppress"], {"batch_id": batch_id}):
        for group in row["groups"]:
            found.setdefault(group, {})[row["client_id"]] = row["email"]
    return found


def address_hashes(state: StateDatabase, batch_id: int) -> tuple[Int64, Int64]:
    """Client ids and address hashes of a batch; 16 bytes a contact."""
    query = statements.with_values(SQL["address_hashes"], batch_id=batch_id)
    with state.reader() as connection:
        table = arrow_reader.table(connection, query, WHAT)
    return (
        np.asarray(table.column("client_id"), np.int64),
        np.asarray(table.column("email_hash"), np.int64),
    )


def contact_sample(cursor: Cursor, batch_id: int, size: int) -> list[dict[str, Any]]:
    """About `size` contacts, evenly spread over the batch; columns as batch_contacts."""
    return many(cursor, SQL["contact_sample"], {"batch_id": batch_id, "size": size})


def batch_bounds(cursor: Cursor, batch_id: int) -> dict[str, Any]:
    """batch_id, run_id, sync_id, first_id, last_id, json_only: which outbox rows are the batch's.

    The planner sees through constants what the view batch_contact hides from it: how many.
    """
    return one(cursor, SQL["batch_bounds"], {"batch_id": batch_id})


def batch_blocks(state: StateDatabase, batch_id: int) -> Iterator[pa.Array]:
    """Payloads of a CSV batch, in blocks of bounded size and in no order."""
    with state.transaction() as cursor:
        bounds = batch_bounds(cursor, batch_id)
    query = statements.with_values(SQL["payloads"], **bounds)
    with state.reader() as connection:
        for block in arrow_reader.record_batches(connection, query, WHAT):
            yield block.column("payload")


def unsure(cursor: Cursor, batch_id: int, *, after: int, at_most: int) -> list[Unsure]:
    """The next contacts of a batch, by client id, that are unsure about a field."""
    parameters = {"batch_id": batch_id, "after": after, "at_most": at_most}
    return [Unsure(**row) for row in many(cursor, SQL["unsure"], parameters)]


def note_held(cursor: Cursor, run_id: int, held: dict[int, tuple[int, int]]) -> None:
    """What SendGrid holds, as in staging.save_held, of contacts that have been sent already."""
    cursor.execute(SQL["note_held"], held_parameters(run_id, held))

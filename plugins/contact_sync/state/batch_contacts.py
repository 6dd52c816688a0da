"""The contacts of a batch: what is staged of a range of client ids, while it is in flight.

Nearly all that is here needs rows: blocks are unpacked before (`outbox_blocks`).
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from psycopg.rows import tuple_row

from contact_sync.base.arrays import Int64
from contact_sync.contacts.payloads import OutboxRow
from contact_sync.contacts.refused_values import Contact
from contact_sync.postgres import arrow_reader
from contact_sync.postgres.cursor import Cursor, many, one, rows_as
from contact_sync.postgres.packed import unpacked
from contact_sync.state import statements
from contact_sync.state.database import WHAT, StateDatabase
from contact_sync.state.staging import Unsure, held_parameters

SQL = statements.load("batch_contacts")


@dataclass(frozen=True, slots=True)
class BatchColumns:
    """The contacts of a JSON batch, by client id: at most 30 000 contacts, 3.9 MB. `payloads`: one
    after the other, in UTF-8."""

    client_ids: list[int]
    payloads: bytes = field(repr=False)
    clears: Int64

    def contacts(self) -> list[Contact]:
        """What is judged when SendGrid refuses it: an object each, for the few such requests."""
        rows = self.payloads.decode().split("\n")[:-1]  # a payload has no other line break
        return [
            Contact(client_id, email, f"{row}\n")
            for client_id, row, (email, *_) in zip(
                self.client_ids, rows, csv.reader(rows, strict=True), strict=True
            )
        ]


def batch_columns(cursor: Cursor, batch_id: int) -> BatchColumns | None:
    """Those of a JSON batch as one value each: a row and an object a contact cost more than all
    else that is made of it. None = no contact is left."""
    with cursor.connection.cursor(row_factory=tuple_row, binary=True) as plain:
        (row,) = plain.execute(SQL["batch_columns"], {"batch_id": batch_id}).fetchall()
    client_ids, payloads, clears = row
    if client_ids is None:
        return None
    return BatchColumns(client_ids, payloads, np.array(clears, np.int64))


def count_contacts(cursor: Cursor, batch_id: int) -> int:
    """How many contacts the batch has now; some may have been taken out since it was planned."""
    return int(one(cursor, SQL["count_contacts"], {"batch_id": batch_id})["n"])


def first_client(cursor: Cursor, batch_id: int) -> int:
    """The first client of a batch that has contacts."""
    return int(one(cursor, SQL["first_client"], {"batch_id": batch_id})["client_id"])


def has_contacts(cursor: Cursor, batch_id: int) -> bool:
    """Whether the batch has any contact left."""
    return bool(one(cursor, SQL["has_contacts"], {"batch_id": batch_id})["found"])


def contacts_among(cursor: Cursor, batch_id: int, emails: Collection[str]) -> list[Contact]:
    """Those of the addresses that are in the batch, with what was sent of them."""
    parameters = {"batch_id": batch_id, "emails": list(emails)}
    return [Contact(**row) for row in many(cursor, SQL["contacts_among"], parameters)]


def sizes(cursor: Cursor, run_id: int, client_ids: Collection[int]) -> dict[int, int]:
    """Client id → bytes as JSON, of contacts of a run, by client id."""
    rows = many(cursor, SQL["sizes"], {"run_id": run_id, "client_ids": list(client_ids)})
    return {row["client_id"]: row["size"] for row in rows}


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


def contact_sample(cursor: Cursor, batch_id: int, size: int) -> list[OutboxRow]:
    """About `size` contacts, evenly spread over the batch."""
    parameters = {"batch_id": batch_id, "size": size}
    return rows_as(OutboxRow, cursor, SQL["contact_sample"], parameters)


def batch_bounds(cursor: Cursor, batch_id: int) -> dict[str, Any]:
    """batch_id, run_id, sync_id, first_id, last_id, json_only: which outbox rows are the batch's.

    The planner sees through constants what the view batch_contact hides from it: how many.
    """
    return one(cursor, SQL["batch_bounds"], {"batch_id": batch_id})


def csv_payloads(state: StateDatabase, batch_id: int) -> Iterator[pa.Array]:
    """Payloads of a CSV batch, in pieces of bounded size and in no order."""
    with state.transaction() as cursor:
        bounds = batch_bounds(cursor, batch_id)
    query = statements.with_values(SQL["payloads"], **bounds)
    with state.reader() as connection:
        for piece in arrow_reader.record_batches(connection, query, WHAT):
            for content in piece.column("content").drop_null():
                yield from unpacked(content.as_buffer(), "payload").column("payload").chunks
            payloads = piece.column("payload")
            yield payloads.drop_null() if payloads.null_count else payloads


def unsure(cursor: Cursor, batch_id: int, *, after: int | None, at_most: int) -> list[Unsure]:
    """The next contacts of a batch, by client id, that are unsure about a field."""
    parameters = {"batch_id": batch_id, "after": after, "at_most": at_most}
    return [Unsure(**row) for row in many(cursor, SQL["unsure"], parameters)]


def note_held(cursor: Cursor, run_id: int, held: dict[int, tuple[int, int]]) -> None:
    """What SendGrid holds, as in staging.save_held, of contacts that have been sent already."""
    cursor.execute(SQL["note_held"], held_parameters(run_id, held))

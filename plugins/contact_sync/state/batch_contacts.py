"""The contacts of a batch: outbox rows in a range of client ids, while it is in flight."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from contact_sync.contacts.payloads import OutboxRow
from contact_sync.postgres import arrow_reader
from contact_sync.postgres.cursor import Cursor, many, one
from contact_sync.state.database import StateDatabase, statement

WHAT = "The state database"
Int64 = npt.NDArray[np.int64]


def batch_contacts(cursor: Cursor, batch_id: int) -> list[dict[str, Any]]:
    """client_id, email, payload and clears of a JSON batch; at most 30 000 contacts, 3.9 MB."""
    return many(cursor, statement("batch_contacts"), {"batch_id": batch_id})


def outbox_rows(contacts: list[dict[str, Any]]) -> list[OutboxRow]:
    """The same as what `payloads` takes."""
    return [OutboxRow(row["email"], row["payload"], row["clears"]) for row in contacts]


def count_contacts(cursor: Cursor, batch_id: int) -> int:
    """How many contacts the batch has now; some may have been taken out since it was planned."""
    row = one(
        cursor,
        "SELECT count(*) AS n FROM contact_sync.batch_contact WHERE batch_id = %s",
        (batch_id,),
    )
    return int(row["n"])


def has_contacts(cursor: Cursor, batch_id: int) -> bool:
    """Whether the batch has any contact left."""
    cursor.execute(
        "SELECT 1 FROM contact_sync.batch_contact WHERE batch_id = %s LIMIT 1", (batch_id,)
    )
    return cursor.fetchone() is not None


def addresses_among(cursor: Cursor, batch_id: int, emails: Collection[str]) -> set[str]:
    """Those of the addresses that are in the batch."""
    rows = many(
        cursor,
        "SELECT email FROM contact_sync.batch_contact WHERE batch_id = %s AND email = ANY(%s)",
        (batch_id, list(emails)),
    )
    return {row["email"] for row in rows}


def addresses_to_suppress(cursor: Cursor, batch_id: int) -> dict[int, str]:
    """Client id → address of the contacts that must be suppressed before they are uploaded."""
    rows = many(
        cursor,
        """SELECT client_id, email FROM contact_sync.batch_contact
           WHERE batch_id = %s AND suppress ORDER BY client_id""",
        (batch_id,),
    )
    return {row["client_id"]: row["email"] for row in rows}


def address_hashes(state: StateDatabase, batch_id: int) -> tuple[Int64, Int64]:
    """Client ids and address hashes of a batch; 16 bytes a contact."""
    query = f"""SELECT client_id, email_hash FROM contact_sync.batch_contact
                WHERE batch_id = {batch_id:d}"""  # noqa: S608 an integer
    with arrow_reader.connect(state.dsn, WHAT) as connection:
        table = arrow_reader.table(connection, query, WHAT)
    return (
        np.asarray(table.column("client_id"), np.int64),
        np.asarray(table.column("email_hash"), np.int64),
    )


def contact_sample(cursor: Cursor, batch_id: int, size: int) -> list[dict[str, Any]]:
    """About `size` contacts, evenly spread over the batch; columns as batch_contacts."""
    return many(
        cursor,
        """SELECT client_id, email, payload, clears FROM (
               SELECT *, row_number() OVER (ORDER BY client_id) AS n, count(*) OVER () AS total
               FROM contact_sync.batch_contact WHERE batch_id = %s
           ) AS contact WHERE n %% greatest(1, total / %s) = 0""",
        (batch_id, size),
    )


def batch_bounds(cursor: Cursor, batch_id: int) -> dict[str, Any]:
    """batch_id, run_id, sync_id, first_id, last_id, json_only: which outbox rows are the batch's.

    The planner sees through constants what the view batch_contact hides from it: how many.
    """
    return one(
        cursor,
        """SELECT batch_id, run_id, sync_id, first_id, last_id, json_only
           FROM contact_sync.batch WHERE batch_id = %s""",
        (batch_id,),
    )


def batch_blocks(state: StateDatabase, batch_id: int) -> Iterator[pa.Array]:
    """Payloads of a CSV batch, in blocks of bounded size and in no order: a sort costs more than
    all the rest."""
    with state.transaction() as cursor:
        bounds = batch_bounds(cursor, batch_id)
    flagged = "" if bounds["json_only"] is None else f"AND json_only = {bounds['json_only']}"
    query = f"""SELECT payload FROM contact_sync.outbox
                WHERE run_id = {bounds["run_id"]:d} {flagged}
                    AND client_id BETWEEN {bounds["first_id"]:d} AND {bounds["last_id"]:d}
             """  # noqa: S608 integers and a boolean
    with arrow_reader.connect(state.dsn, WHAT) as connection:
        for block in arrow_reader.record_batches(connection, query, WHAT):
            yield block.column("payload")

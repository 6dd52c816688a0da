"""Staged contacts in blocks: a first load writes a million of them, and a row each is what most of
its work would be.

A block has contacts of clients that the ledger doesn't know: nothing is known of them, so that
nothing has to be compared or cleared. It is sent as it is and, when its job has applied all of it,
copied into the ledger. Whoever needs one of the contacts by itself unpacks the block first: they
are rows of the outbox then, as all others. A contact is in one of the two places, never in both.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import psycopg
import pyarrow as pa

from contact_sync.base.arrays import Int64
from contact_sync.postgres.copying import copy_batches, copy_row
from contact_sync.postgres.cursor import Cursor, analyze, many, one
from contact_sync.postgres.packed import packed, unpacked
from contact_sync.state import statements

if TYPE_CHECKING:
    import pandas as pd

SQL = statements.load("outbox_blocks")
CONTACTS = pa.schema(
    [
        ("client_id", pa.int64()), ("email", pa.string()), ("email_hash", pa.int64()),
        ("payload", pa.string()), ("row_hash", pa.int64()), ("filled", pa.int64()),
        ("unsure", pa.int64()), ("unsure_others", pa.int64()), ("size", pa.int32()),
        ("person_hash", pa.int64()),
    ]
)  # fmt: skip
"""What a block's content, an Arrow stream, holds: the columns of the outbox that aren't 0 or false
for each of its contacts; `person_hash` is 0 if the source doesn't tell persons."""
CONFIRMED = pa.schema(
    [
        ("sync_id", pa.int16()), ("client_id", pa.int64()), ("state", pa.string()),
        ("email_hash", pa.int64()), ("email", pa.string()), ("contact_hash", pa.int64()),
        ("row_hash", pa.int64()), ("filled", pa.int64()), ("person_hash", pa.int64()),
        ("batch_id", pa.int64()),
    ]
)  # fmt: skip
"""Columns of the ledger; the others have their defaults."""
MANY = 1_000
"""From so many contacts on that become rows the planner is told of them."""
_ARRAY = np.dtype([("dimensions", ">i4"), ("nulls", ">i4"), ("type", ">i4"), ("n", ">i4"),
                   ("lowest", ">i4")])  # fmt: skip
_INT8 = 20
"""The type's number in PostgreSQL (pg_type.dat)."""


class Block(NamedTuple):
    """A block: its contacts are of clients from `first_id` to `last_id`, not of all of them."""

    run_id: int
    first_id: int
    last_id: int
    contacts: int


def has_blocks(cursor: Cursor, run_id: int) -> bool:
    """Whether any contact of the run is in a block."""
    return bool(one(cursor, SQL["has_blocks"], {"run_id": run_id})["found"])


def save(cursor: Cursor, run_id: int, contacts: pd.DataFrame, *, most: int) -> None:
    """Stage contacts in blocks of `most` of them; columns of CONTACTS, in any order of ids."""
    if contacts.empty:
        return
    if "person_hash" not in contacts:
        contacts = contacts.assign(person_hash=0)
    table = pa.Table.from_pandas(contacts, CONTACTS, preserve_index=False)
    for start in range(0, table.num_rows, most):
        part = table.slice(start, most)
        ids, hashes = (part.column(c).to_numpy() for c in ("client_id", "email_hash"))
        values = {
            "run_id": _number(run_id), "first_id": _number(ids.min()),
            "last_id": _number(ids.max()), "contacts": _number(len(ids), 4),
            "client_ids": _array(ids), "email_hashes": _array(hashes), "content": packed(part),
        }  # fmt: skip
        copy_row(cursor, "contact_sync.outbox_block", values)


def _number(value: int, width: int = 8) -> bytes:
    return int(value).to_bytes(width, "big", signed=True)


def _array(values: Int64) -> bytes:
    """As PostgreSQL's binary format has it (array_recv in its source, arrayfuncs.c)."""
    head = np.array([(1, 0, _INT8, len(values), 1)], _ARRAY)
    items = np.empty(len(values), [("length", ">i4"), ("value", ">i8")])
    items["length"], items["value"] = 8, values
    return head.tobytes() + items.tobytes()


def of_run(cursor: Cursor, run_id: int) -> list[Block]:
    """What a run has staged in blocks, by first id."""
    return [Block(**row) for row in many(cursor, SQL["of_run"], {"run_id": run_id})]


def contacts_of(
    cursor: Cursor,
    client_ids: Collection[int],
    *names: str,
    sync_id: int | None = None,
    run_id: int | None = None,
) -> list[dict[str, Any]]:
    """These columns of CONTACTS, of the clients that are in blocks of a sync, or of a run."""
    wanted, found = list(client_ids), list[dict[str, Any]]()
    asked = {"client_ids": wanted, "email_hashes": [], "sync_id": sync_id, "run_id": run_id}
    for block in many(cursor, SQL["of_persons"], asked):  # one at a time is in memory
        for row in many(cursor, SQL["content"], block):
            contacts = unpacked(row["content"], "client_id", *names)
            is_wanted = np.isin(contacts.column("client_id").to_numpy(), wanted)
            found += contacts.filter(pa.array(is_wanted)).to_pylist()
    return found


def confirm(cursor: Cursor, sync_id: int, batch_id: int) -> int:
    """Write the contacts of a batch that are in blocks into the ledger: SendGrid has applied all of
    them. Returns how many; those whose client is known by now are unpacked instead.
    """
    blocks = many(cursor, SQL["of_batch"], {"batch_id": batch_id})
    if not blocks:
        return 0
    if not is_fresh(cursor, sync_id):
        _unpack(cursor, blocks)
        return 0
    return sum(_confirm(cursor, block, sync_id, batch_id) for block in blocks)


def _confirm(cursor: Cursor, block: dict[str, Any], sync_id: int, batch_id: int) -> int:
    try:
        with cursor.connection.transaction():
            contacts = _take(cursor, block)
            if contacts is None:
                return 0
            n, column = int(contacts.num_rows), contacts.column
            person = column("person_hash").to_numpy()
            columns = {
                "sync_id": pa.repeat(pa.scalar(sync_id, pa.int16()), n),
                "state": pa.repeat("confirmed", n),
                "contact_hash": column("email_hash"),
                "person_hash": pa.array(person, mask=person == 0),
                "batch_id": pa.repeat(pa.scalar(batch_id, pa.int64()), n),
            }
            arrays = [columns[name] if name in columns else column(name)
                      for name in CONFIRMED.names]  # fmt: skip
            rows = pa.table(arrays, CONFIRMED).to_batches()
            copy_batches(cursor, "contact_sync.ledger", CONFIRMED, rows)
            return n
    except psycopg.errors.UniqueViolation:
        _unpack(cursor, [block])
        return 0


def unpack_batch(cursor: Cursor, batch_id: int) -> None:
    """Make the contacts of a batch rows of the outbox."""
    _unpack(cursor, many(cursor, SQL["of_batch"], {"batch_id": batch_id}))


def unpack_run(cursor: Cursor, run_id: int) -> None:
    """The same of all that a run has staged."""
    _unpack(cursor, many(cursor, SQL["of_run"], {"run_id": run_id}))


def unpack_persons(
    cursor: Cursor, sync_id: int, client_ids: Collection[int], email_hashes: Collection[int]
) -> None:
    """The same of all blocks of a sync that have one of these clients or addresses."""
    asked: dict[str, Any] = {"client_ids": list(client_ids), "email_hashes": list(email_hashes)}
    asked |= {"sync_id": sync_id, "run_id": None}
    _unpack(cursor, many(cursor, SQL["of_persons"], asked))


def unpack_all(cursor: Cursor) -> None:
    """The same of all syncs."""
    _unpack(cursor, many(cursor, SQL["of_all"]))


def is_fresh(cursor: Cursor, sync_id: int) -> bool:
    """Whether no contact of the sync is to be removed or moved, so that none can be taken over."""
    return bool(one(cursor, SQL["is_fresh"], {"sync_id": sync_id})["is_fresh"])


def drop_of_slice(cursor: Cursor, run_id: int, first_id: int, last_id: int) -> None:
    """Forget what an earlier try has staged of clients between two ids."""
    parameters = {"run_id": run_id, "first_id": first_id, "last_id": last_id}
    cursor.execute(SQL["drop_of_slice"], parameters)


def drop_of_run(cursor: Cursor, run_id: int) -> None:
    """Forget what a run has staged."""
    cursor.execute(SQL["drop_of_run"], {"run_id": run_id})


def drop_of_batch(cursor: Cursor, batch_id: int) -> None:
    """Forget the contacts of a batch."""
    cursor.execute(SQL["drop_of_batch"], {"batch_id": batch_id})


def _take(cursor: Cursor, block: dict[str, Any]) -> pa.Table | None:
    """The contacts of a block, which is gone then; None if another process has taken it."""
    parameters = {"run_id": block["run_id"], "first_id": block["first_id"]}
    with cursor.connection.cursor(binary=True) as plain:
        row = plain.execute(SQL["take"], parameters).fetchone()
    return None if row is None else unpacked(row["content"])


def _unpack(cursor: Cursor, blocks: list[dict[str, Any]]) -> None:
    schema, made = pa.schema([pa.field("run_id", pa.int64()), *CONTACTS]), 0
    for block in blocks:
        if (contacts := _take(cursor, block)) is not None:
            run_id = pa.repeat(pa.scalar(block["run_id"], pa.int64()), contacts.num_rows)
            columns = contacts.select(CONTACTS.names).columns
            rows = pa.table([run_id, *columns], schema).to_batches()
            copy_batches(cursor, "contact_sync.outbox", schema, rows)
            made += contacts.num_rows
    if made > MANY:
        analyze_outbox(cursor)


def analyze_outbox(cursor: Cursor) -> None:
    """Tell the planner what was just staged: it takes a table that it hasn't looked at for small,
    sorts what an index would give in order, and looks up a million rows one by one.
    """
    analyze(cursor, "contact_sync.outbox (run_id, client_id, json_only, takes_over)")

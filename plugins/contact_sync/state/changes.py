"""What a run changes, client by client: written for people. No run decides by it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from contact_sync.base.arrays import Int64
from contact_sync.base.changes import SENT, ChangeKind
from contact_sync.base.vocabulary import Lane
from contact_sync.postgres.copying import copy_batches
from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state import statements

if TYPE_CHECKING:
    from contact_sync.state.staging import Slice

SQL = statements.load("changes")
FOUND = pa.schema(
    [
        ("client_id", pa.int64()), ("kind", pa.string()), ("field", pa.string()),
        ("reason", pa.string()), ("detail", pa.string()), ("fields", pa.int64()),
    ]
)  # fmt: skip
"""What reading a slice finds; the columns have the meanings of the table's."""
MOST = 10_000
"""So many rows of most kinds are kept of a slice: the first ones by id."""
FEW = 1_000
"""So many of the others are kept, and SOME where there are more; run.changes says which."""
SOME = 50
OF_REMOVALS = {Lane.DELETE: ChangeKind.REMOVED, Lane.UNLIST: ChangeKind.UNLISTED}


class StagedChange(NamedTuple):
    """A changed client with its address, what is to be sent of it, and which texts are emptied."""

    client_id: int
    email: str
    payload: str
    clears: int


class ChangedFields(NamedTuple):
    """Which fields of a contact change, by bit; their values before and after, encrypted, or
    None."""

    fields: int
    sealed: bytes | None = None


def replace_changes(
    cursor: Cursor, run_id: int, part: Slice, found: pa.Table, dropped: int
) -> None:
    """Note what a slice has found, rows of FOUND and so many `dropped` values, and forget what an
    earlier try of it noted."""
    bounds = {"run_id": run_id, "first_id": part.first_id, "last_id": part.last_id}
    kinds = {"kinds": [str(kind) for kind in ChangeKind if kind is not ChangeKind.ABSENT]}
    if part.is_sparse:
        ids = part.members.column("client_id").to_pylist()
        cursor.execute(SQL["drop_of_clients"], kinds | {"run_id": run_id, "client_ids": ids})
    else:
        cursor.execute(SQL["drop_of_range"], bounds | kinds)
    if len(found):
        cursor.execute(SQL["create_noted"])
        copy_batches(cursor, "pg_temp.noted", FOUND, found.to_batches())
        cursor.execute(SQL["note"], {"run_id": run_id})
    cursor.execute(SQL["note_dropped"], bounds | {"at_most": FEW if dropped <= FEW else SOME})


def replace_absent(cursor: Cursor, run_id: int, gone: Int64) -> None:
    """Note the first MOST clients, by id, that the run's snapshot of B2CORE doesn't hold."""
    ids = np.sort(gone)[:MOST].tolist()
    cursor.execute(SQL["replace_absent"], {"run_id": run_id, "client_ids": ids})


def note_removals(cursor: Cursor, run_id: int, batch_id: int, lane: Lane) -> None:
    """Note the clients whose contacts a batch removes."""
    parameters = {"run_id": run_id, "batch_id": batch_id, "kind": str(OF_REMOVALS[lane])}
    cursor.execute(SQL["note_removals"], parameters)


def staged(cursor: Cursor, run_id: int, client_ids: Collection[int]) -> list[StagedChange]:
    """Those of the clients that are changed, with what is staged of them."""
    parameters = {"run_id": run_id, "client_ids": list(client_ids)}
    return [StagedChange(**row) for row in many(cursor, SQL["staged"], parameters)]


def sample(cursor: Cursor, run_id: int, at_most: int) -> list[StagedChange]:
    """Changed clients from all over, if none of the run was compared with SendGrid so far."""
    rows = many(cursor, SQL["sample"], {"run_id": run_id, "at_most": at_most})
    return [StagedChange(**row) for row in rows]


def moved(cursor: Cursor, run_id: int) -> dict[int, tuple[str, str]]:
    """Former and new address of clients that have moved, by id."""
    rows = many(cursor, SQL["moved"], {"run_id": run_id, "at_most": MOST})
    return {row["client_id"]: (row["former"], row["email"]) for row in rows}


def note_fields(
    cursor: Cursor, run_id: int, kind: ChangeKind, found: Mapping[int, ChangedFields]
) -> None:
    """Write down which fields of these clients change."""
    parameters = {
        "run_id": run_id,
        "kind": str(kind),
        "client_ids": list(found),
        "fields": [each.fields for each in found.values()],
        "sealed": [each.sealed for each in found.values()],
    }
    cursor.execute(SQL["note_fields"], parameters)


def count_fields(
    cursor: Cursor, run_id: int, bits: Mapping[str, int]
) -> tuple[int, dict[str, int]]:
    """How many changed clients were compared with what SendGrid has, and how many of them change
    each field, the most frequent first. `bits` by field's name."""
    rows = many(cursor, SQL["count_fields"], {"run_id": run_id})
    found = {
        name: sum(row["n"] for row in rows if row["fields"] >> bit & 1)
        for name, bit in bits.items()
    }
    named = {name: n for name, n in found.items() if n}
    compared = sum(row["n"] for row in rows)
    return compared, dict(sorted(named.items(), key=lambda item: -item[1]))


def close(cursor: Cursor, run_id: int) -> None:
    """Keep what became of the clients of a run that ends."""
    cursor.execute(SQL["close"], {"run_id": run_id, "sent": [str(kind) for kind in SENT]})

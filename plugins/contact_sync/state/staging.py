"""Slices and the outbox: what a run reads, and what it has staged to be sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from psycopg.types.json import Jsonb

from contact_sync.base.json_columns import Staged
from contact_sync.postgres import arrow_reader
from contact_sync.postgres.copying import copy_into
from contact_sync.postgres.cursor import Cursor, many, one
from contact_sync.postgres.packed import packed, unpacked
from contact_sync.state import outbox_blocks, statements
from contact_sync.state.database import WHAT, StateDatabase
from contact_sync.state.settling import ENOUGH_TRIES

if TYPE_CHECKING:
    import pandas as pd

SQL = statements.load("staging")
OUTBOX = pa.schema(
    [
        ("run_id", pa.int64()), ("client_id", pa.int64()), ("email", pa.string()),
        ("email_hash", pa.int64()), ("payload", pa.string()), ("row_hash", pa.int64()),
        ("filled", pa.int64()), ("clears", pa.int64()), ("json_only", pa.bool_()),
        ("takes_over", pa.bool_()), ("stale", pa.int64()), ("unsure", pa.int64()),
        ("unsure_others", pa.int64()), ("size", pa.int32()),
    ]
)  # fmt: skip
PERSON_HASH = pa.field("person_hash", pa.int64())
"""A column more, if the source tells one person from another."""
RARE = ("clears", "json_only", "takes_over", "stale")
USUAL = (*RARE, "unsure_others")
"""Columns that are 0 or false for nearly everybody, which is their default: where they are so for
all contacts of a frame, they aren't written."""

HEIRS = -1
"""Number of the slice of those who represent an address for a rejected client, and its round down:
-1, -2, …"""


@dataclass(frozen=True, slots=True)
class Slice:
    """The clients that one task reads: an id range and, per client, address hash and verdict."""

    slice_no: int
    first_id: int
    last_id: int
    members: pa.Table

    @property
    def is_sparse(self) -> bool:
        """Whether clients of other slices are between its own."""
        return self.slice_no <= HEIRS


class Heir(NamedTuple):
    """A client that is to represent its address now; `takes_over`: the address has a contact;
    `judged`: this run has looked at it already."""

    client_id: int
    email_hash: int
    takes_over: bool
    judged: bool


def heirs(cursor: Cursor, sync_id: int, run_id: int) -> list[Heir]:
    """For each shared address of which this run knows only rejected representatives, the newest
    of the others, by client id."""
    rows = many(cursor, SQL["heirs"], {"sync_id": sync_id, "run_id": run_id})
    return [Heir(**row) for row in rows]


def drop_sparse_slices(cursor: Cursor, run_id: int) -> None:
    """Forget the slices of heirs of an earlier try, and what was staged of them."""
    for row in many(cursor, SQL["drop_sparse_slices"], {"run_id": run_id, "heirs": HEIRS}):
        _drop_from_outbox(cursor, run_id, unpacked(row["members"]))


def save_slices(cursor: Cursor, run_id: int, slices: list[Slice]) -> None:
    """Store a run's slices, replacing those of an earlier try."""
    cursor.execute(SQL["drop_slices"], {"run_id": run_id})
    add_slices(cursor, run_id, slices)


def add_slices(cursor: Cursor, run_id: int, slices: list[Slice]) -> None:
    """Store more slices of a run."""
    for part in slices:
        cursor.execute(
            SQL["insert_slice"],
            {
                "run_id": run_id,
                "slice_no": part.slice_no,
                "first_id": part.first_id,
                "last_id": part.last_id,
                "clients": part.members.num_rows,
                "members": packed(part.members),
            },
        )


def load_slice(state: StateDatabase, run_id: int, slice_no: int) -> Slice:
    """One slice with its members."""
    with state.transaction() as cursor:
        row = one(cursor, SQL["load_slice"], {"run_id": run_id, "slice_no": slice_no})
    return Slice(row["slice_no"], row["first_id"], row["last_id"], unpacked(row["members"]))


def lock_slice(cursor: Cursor, run_id: int, slice_no: int) -> None:
    """Wait for another try of the same slice, so that two never stage it at once."""
    cursor.execute(SQL["lock_slice"], {"run_id": run_id, "slice_no": slice_no})


def save_slice_counts(cursor: Cursor, run_id: int, slice_no: int, counts: Staged) -> None:
    """Mark the slice as staged."""
    parameters = {"run_id": run_id, "slice_no": slice_no, "counts": Jsonb(counts.to_json())}
    cursor.execute(SQL["save_slice_counts"], parameters)


def slice_counts(cursor: Cursor, run_id: int) -> list[Staged | None]:
    """The counts of a run's slices; None for one that isn't staged."""
    rows = many(cursor, SQL["slice_counts"], {"run_id": run_id})
    return [Staged.of_column(row["counts"]) for row in rows]


def fill_outbox(
    cursor: Cursor,
    run_id: int,
    part: Slice,
    frames: Iterator[pd.DataFrame],
    *,
    persons: bool,
    in_blocks: int | None,
) -> None:
    """Stage a slice's contacts, as rows of the outbox and in blocks, replacing those of an earlier
    try.

    `frames`: columns of OUTBOX but run_id, and with `persons` PERSON_HASH. `in_blocks`: so many
    contacts has a block at most, and the column `in_block` says which may be in one; None = none.
    """
    if part.is_sparse:
        _drop_from_outbox(cursor, run_id, part.members)
    else:
        bounds = {"run_id": run_id, "first_id": part.first_id, "last_id": part.last_id}
        # In this order: it waits for whoever makes rows of a block, and these are deleted then.
        outbox_blocks.drop_of_slice(cursor, **bounds)
        cursor.execute(SQL["drop_outbox_of_slice"], bounds)
    schema = OUTBOX.append(PERSON_HASH) if persons else OUTBOX
    few = pa.schema(column for column in schema if column.name not in USUAL)

    def store(frame: pd.DataFrame) -> None:
        rows = frame
        if in_blocks:
            alike = frame["in_block"].to_numpy(bool)
            rows = frame[~alike]
            contacts = frame if alike.all() else frame[alike]
            outbox_blocks.save(cursor, run_id, contacts, most=in_blocks)
        if len(rows):
            columns = few if _is_usual(rows) else schema
            copy_into(cursor, "contact_sync.outbox", columns, [rows.assign(run_id=run_id)])

    for _ in map(store, frames):  # keeps no frame while the next one is made
        pass


def _is_usual(frame: pd.DataFrame) -> bool:
    return not any(frame[name].any() for name in USUAL)


def _drop_from_outbox(cursor: Cursor, run_id: int, members: pa.Table) -> None:
    ids = members.column("client_id").to_pylist()
    cursor.execute(SQL["drop_outbox_of_clients"], {"run_id": run_id, "client_ids": ids})


def in_vain(cursor: Cursor, sync_id: int, run_id: int) -> list[int]:
    """Staged clients, by id, that were sent in vain ENOUGH_TRIES times or more, and of whom nobody
    knows whether they are the cause."""
    parameters = {"sync_id": sync_id, "run_id": run_id, "least": ENOUGH_TRIES}
    return [row["client_id"] for row in many(cursor, SQL["in_vain"], parameters)]


def count_outbox(cursor: Cursor, run_id: int) -> int:
    """How many contacts of a run wait to be sent."""
    blocks = outbox_blocks.of_run(cursor, run_id)
    rows = int(one(cursor, SQL["count_outbox"], {"run_id": run_id})["n"])
    return rows + sum(block.contacts for block in blocks)


def drop_slices_of_dead_runs(cursor: Cursor, sync_id: int) -> None:
    """Forget what runs of the sync that are over had still to read."""
    cursor.execute(SQL["drop_slices_of_dead_runs"], {"sync_id": sync_id})


def drop_outbox(cursor: Cursor, run_id: int) -> None:
    """Forget what was staged of a run, and not sent."""
    outbox_blocks.drop_of_run(cursor, run_id)
    cursor.execute(SQL["drop_outbox"], {"run_id": run_id})


def drop_outbox_of_older_runs(cursor: Cursor, sync_id: int, run_id: int) -> None:
    """Forget payloads that earlier runs of the sync staged and never sent."""
    for row in many(cursor, SQL["runs_not_cleared"], {"sync_id": sync_id, "run_id": run_id}):
        drop_outbox(cursor, row["run_id"])


class Unsure(NamedTuple):
    """A staged contact with fields of which nobody knows what SendGrid holds; a mask by bit."""

    client_id: int
    email: str
    fields: int


def unsure_contacts(
    cursor: Cursor, run_id: int, *, texts: bool, after: int | None, at_most: int
) -> list[Unsure]:
    """The next contacts, by client id, that are unsure about a Number or Date field, or, with
    `texts`, about any."""
    parameters = {"run_id": run_id, "texts": texts, "after": after, "at_most": at_most}
    return [Unsure(**row) for row in many(cursor, SQL["unsure_contacts"], parameters)]


def save_held(cursor: Cursor, run_id: int, held: dict[int, tuple[int, int]]) -> None:
    """What SendGrid holds in fields that are empty in B2CORE: client id → texts, which are emptied,
    and others, which can't be. These contacts go by JSON."""
    cursor.execute(SQL["save_held"], held_parameters(run_id, held))


def held_parameters(run_id: int, held: dict[int, tuple[int, int]]) -> dict[str, Any]:
    """The same for a statement."""
    return {
        "run_id": run_id,
        "client_ids": list(held),
        "clears": [texts for texts, _ in held.values()],
        "stale": [others for _, others in held.values()],
    }


def count_emptied(cursor: Cursor, run_id: int) -> tuple[int, dict[int, int]]:
    """How many staged contacts empty a text, and how many there are by mask of stale fields."""
    cleared = int(one(cursor, SQL["count_cleared"], {"run_id": run_id})["n"])
    stale = many(cursor, SQL["count_stale"], {"run_id": run_id})
    return cleared, {row["stale"]: row["n"] for row in stale}


def analyze_outbox(state: StateDatabase) -> None:
    """Tell the planner what was just staged."""
    with state.transaction() as cursor:
        outbox_blocks.analyze_outbox(cursor)


def outbox_sizes(state: StateDatabase, run_id: int) -> pa.Table:
    """client_id, size and json_only of a run's contacts, by client id."""
    arrow_reader.give_memory_back()  # what staging has freed makes room for a row of everybody
    query = statements.with_values(SQL["outbox_sizes"], run_id=run_id)
    with state.reader() as connection:
        sizes = arrow_reader.table(connection, query, WHAT)
    return sizes.sort_by("client_id") if sizes.num_rows else sizes

"""The ids of clients that a statement gives: one in each row, and each once. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from contact_sync.base.arrays import Int64
from contact_sync.base.errors import FatalError


def ids_of(batch: pa.RecordBatch, statement: str) -> Int64:
    """The column client_id; a view. Raises FatalError when a row has none."""
    column = batch.column("client_id")
    if column.null_count:
        raise FatalError(
            f"{statement}.sql gives rows without a client_id: leave them out, or join the table "
            f"that has it"
        )
    return np.asarray(column, np.int64)


def refuse_twice(ordered: Int64, statement: str) -> None:
    """Raise FatalError when an id occurs more than once in the sorted ids that a statement gave."""
    again = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(again):
        raise FatalError(
            f"{statement}.sql gives client {ordered[again[0]]} more than once: fix its joins"
        )


def changed_ids(batches: Iterable[pa.RecordBatch]) -> Int64:
    """Of the changed rows; one that belongs to no client changes none. A part of a UNION may name
    its column as it likes."""
    columns = [batch.column(_place(batch.schema.names)) for batch in batches]
    found = [np.asarray(column.drop_null(), np.int64) for column in columns]
    return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)


def _place(names: list[str]) -> int:
    return names.index("client_id") if "client_id" in names else 0


def column_of(batches: Iterable[pa.RecordBatch], name: str) -> Int64:
    """A column of integers as one array."""
    empty = np.empty(0, np.int64)
    return np.concatenate([empty, *(np.asarray(b.column(name), np.int64) for b in batches)])

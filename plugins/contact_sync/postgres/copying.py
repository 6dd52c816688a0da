"""COPY from Arrow-backed frames into the state database."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, LiteralString

import pyarrow as pa
from psycopg import sql

from contact_sync.postgres.binary_rows import HEADER, MAX_ROWS, TRAILER, encoded
from contact_sync.postgres.cursor import Cursor

if TYPE_CHECKING:
    import pandas as pd

PIECE = 4 << 20
"""Bytes that are encoded at once."""


def copy_into(
    cursor: Cursor, table: LiteralString, schema: pa.Schema, frames: Iterable[pd.DataFrame]
) -> None:
    """Stream frames into a table, in PostgreSQL's binary format.

    The schema has names and types of the columns that are written: those of the table, because
    binary COPY converts nothing (PostgreSQL docs, COPY).
    """
    as_table = partial(pa.Table.from_pandas, schema=schema, preserve_index=False)
    # `map` keeps no frame while the next one is made, as a loop's variable does.
    batches = map(pa.Table.to_batches, map(as_table, frames))
    copy_batches(cursor, table, schema, chain.from_iterable(batches))


def copy_batches(
    cursor: Cursor, table: LiteralString, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> None:
    """The same with record batches of that schema."""
    with cursor.copy(_command(table, schema.names)) as copy:
        copy.write(HEADER)
        for batch in batches:
            rows = _rows_at_once(batch)
            for first in range(0, batch.num_rows, rows):
                copy.write(encoded(batch.slice(first, rows)))
            del batch  # before the next one is made
        copy.write(TRAILER)


def copy_row(cursor: Cursor, table: LiteralString, values: dict[str, bytes]) -> None:
    """The same with one row of large values, by column and in PostgreSQL's binary format: none of
    them is joined with others before it is sent."""
    with cursor.copy(_command(table, values)) as copy:
        copy.write(HEADER + len(values).to_bytes(2, "big"))
        for value in values.values():
            copy.write(len(value).to_bytes(4, "big"))
            copy.write(value)
        copy.write(TRAILER)


def _command(table: LiteralString, names: Iterable[str]) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(sql.SQL(table), columns)


def _rows_at_once(batch: pa.RecordBatch) -> int:
    """So many that they take about PIECE bytes, whatever the columns hold."""
    rows = int(batch.num_rows * PIECE // max(1, batch.nbytes))
    return max(1, min(MAX_ROWS, rows))

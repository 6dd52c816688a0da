"""COPY from Arrow-backed frames into the state database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, LiteralString

import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from psycopg import sql

from contact_sync.postgres.cursor import Cursor

if TYPE_CHECKING:
    import pandas as pd


def copy_into(
    cursor: Cursor, table: LiteralString, schema: pa.Schema, frames: Iterable[pd.DataFrame]
) -> None:
    """Stream frames into a table, in PostgreSQL's binary format.

    The schema has names and types of the columns that are written: those of the table, because
    binary COPY converts nothing (PostgreSQL docs, COPY).
    """
    encoder = ArrowToPostgresBinaryEncoder(schema)
    names = sql.SQL(", ").join(map(sql.Identifier, schema.names))
    command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(sql.SQL(table), names)
    with cursor.copy(command) as copy:
        copy.write(encoder.write_header())
        for frame in frames:
            rows = pa.Table.from_pandas(frame, schema, preserve_index=False)
            for batch in rows.to_batches():
                copy.write(encoder.write_batch(batch))
        copy.write(encoder.finish())

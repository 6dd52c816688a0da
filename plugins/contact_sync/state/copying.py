"""COPY between Arrow-backed frames, files and the state database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
import pyarrow as pa
import pyarrow.csv as pa_csv
from psycopg import sql

from contact_sync.state.database import Cursor

if TYPE_CHECKING:
    import pandas as pd

_OPTIONS = pa_csv.WriteOptions(include_header=False, quoting_style="needed")


@contextmanager
def copy_into(cursor: Cursor, table: LiteralString, columns: list[str]) -> Iterator[psycopg.Copy]:
    """Open a COPY into a table; write CSV from `csv_of` to it."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(sql.SQL(table), names)
    with cursor.copy(command) as copy:
        yield copy


def copy_frame(cursor: Cursor, table: LiteralString, frame: pd.DataFrame) -> None:
    """COPY a whole frame; column names are those of the table."""
    with copy_into(cursor, table, list(frame.columns)) as copy:
        copy.write(csv_of(frame))


def csv_of(frame: pd.DataFrame) -> bytes:
    """The frame as CSV for COPY: null is an empty cell, empty text is quoted."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    sink = pa.BufferOutputStream()
    pa_csv.write_csv(table, sink, _OPTIONS)
    buffer: Any = sink.getvalue()
    return bytes(buffer)

"""Read PostgreSQL query results as Arrow record batches (ADBC, binary COPY). An edge.

Driver errors are re-raised with SQLSTATE; the server's text only where it can hold no row value
(syntax, missing objects, permissions, connection). ADBC's module is imported where it connects: it
loads pandas, which takes a second, and most of Airflow's tasks read nothing in bulk.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import MAXYEAR, MINYEAR
from typing import TYPE_CHECKING, Any

import adbc_driver_manager
import pyarrow as pa
from adbc_driver_manager._reader import AdbcRecordBatchReader

from contact_sync.base.errors import ConfigError, FatalError, RetryableError

if TYPE_CHECKING:
    from adbc_driver_postgresql import dbapi

BATCH_BYTES = 4 << 20
"""Size of one record batch: bounds memory; 4 MB is the fastest size that stays small."""

UNSHOWABLE = f"outside the years {MINYEAR} to {MAXYEAR}"

_RETRYABLE_CLASSES = ("08", "40", "53", "57", "25", "55")
_HARMLESS_TEXT_CLASSES = ("42", "3D", "28", "3F")
_WELL_KNOWN = {
    "40001": "a standby's replay cancelled it; a primary or hot_standby_feedback helps",
    "55P03": "a table was locked for longer than the lock time-out, as a migration does",
    "57014": "it took longer than its statement time-out or was cancelled",
}
_BOUNDS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""A server that is gone without a word is noticed after a minute (PostgreSQL docs, libpq)."""
_REFUSED_LOGIN = ("password authentication failed", "does not exist", "no pg_hba.conf entry")


_NO_TEXT = ("22021", "22P05")
"""The server checks what it converts: a database in SQL_ASCII may hold any bytes as text."""


class NotText(FatalError):
    """A row holds bytes that are not text in UTF-8."""


@contextmanager
def connect(dsn: str, what: str) -> Iterator[dbapi.Connection]:
    """One connection, closed at the end; `what` names the database in errors."""
    from adbc_driver_postgresql import dbapi

    with translated(what):
        connection = dbapi.connect(_bounded(dsn))
    try:
        yield connection
    finally:
        connection.close()


def record_batches(connection: dbapi.Connection, sql: str, what: str) -> Iterator[pa.RecordBatch]:
    """Stream the rows of one statement; nothing is buffered beyond a batch."""
    with translated(what), connection.cursor() as cursor:
        cursor.adbc_statement.set_options(
            **{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)}
        )
        cursor.execute(sql)
        stream = cursor.fetch_arrow()
        # The reader of fetch_record_batch() raises Arrow's errors, which have no SQLSTATE.
        with AdbcRecordBatchReader._import_from_c(stream.address) as reader:
            yield from reader


def ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches; while one is worked on, a thread reads the next: BATCH_BYTES more memory."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


def table(connection: dbapi.Connection, sql: str, what: str) -> pa.Table:
    """All rows of one statement; for results that are small or only integers."""
    with translated(what), connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetch_arrow_table()


def rows_of(table: pa.Table | pa.RecordBatch) -> list[dict[str, Any]]:
    """The rows for people; a value that Python can't hold, as `infinity`, is UNSHOWABLE."""
    columns = [[_value(value) for value in column] for column in table.columns]
    return [
        dict(zip(table.schema.names, values, strict=True)) for values in zip(*columns, strict=True)
    ]


def _value(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        return UNSHOWABLE


def first_that_is_no_text(
    connection: dbapi.Connection, sql: str, what: str
) -> tuple[str, int | None] | None:
    """Where a statement that raised NotText has bytes that are no text: the column, and the row's
    client_id if it has one. Reads it again in a new transaction, unconverted."""
    connection.rollback()
    execute(connection, "SET client_encoding = 'SQL_ASCII'", what)
    for batch in record_batches(connection, sql, what):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            for row, value in enumerate(column):
                if pa.types.is_string(column.type) and not _is_text(value):
                    ids = batch.column("client_id") if "client_id" in batch.schema.names else None
                    return name, None if ids is None else ids[row].as_py()
    return None


def _is_text(value: pa.Scalar) -> bool:
    try:
        value.as_py()
    except UnicodeDecodeError:
        return False
    return True


def execute(connection: dbapi.Connection, sql: str, what: str) -> None:
    """Run a statement that gives no rows."""
    with translated(what), connection.cursor() as cursor:
        cursor.execute(sql)


def schema(connection: dbapi.Connection, sql: str, what: str) -> pa.Schema:
    """Names and types of the columns that a statement would give; nothing is read."""
    with translated(what), connection.cursor() as cursor:
        return cursor.adbc_execute_schema(sql)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Re-raise ADBC's errors as ours."""
    try:
        yield
    except adbc_driver_manager.Error as error:
        raise _our_error(error, what) from None


def _bounded(dsn: str) -> str:
    """The URL with time-outs for what it doesn't say itself, and always with UTF-8: Arrow's texts
    are, whatever URL, role, database or PGCLIENTENCODING say. Of two values the last one counts.
    """
    missing = [f"{key}={value}" for key, value in _BOUNDS.items() if f"{key}=" not in dsn]
    return f"{dsn}{'&' if '?' in dsn else '?'}{'&'.join([*missing, 'client_encoding=UTF8'])}"


def _our_error(error: Any, what: str) -> Exception:
    state = error.sqlstate or ""
    if state.startswith(_HARMLESS_TEXT_CLASSES):
        text = str(error).split("\n")[0][:300]
        return ConfigError(f"{what} refused a statement ({state}): {text}")
    if state in _NO_TEXT:
        return NotText(
            f"{what} holds bytes that are not text in UTF-8 (SQLSTATE {state}), as a database in "
            f"SQL_ASCII may: correct the value"
        )
    if state.startswith(_RETRYABLE_CLASSES):
        why = _WELL_KNOWN.get(state, "trying again may help")
        return RetryableError(f"{what} gave up in the middle ({state}): {why}")
    if not state and any(words in str(error) for words in _REFUSED_LOGIN):
        return ConfigError(
            f"{what} refused the login: correct the connection's login, password or database name"
        )
    if not state:
        return RetryableError(
            f"{what} can't be reached, or broke off: check the connection's host, port, login and "
            f"password, and that the server runs"
        )
    return FatalError(f"{what} refused a statement (SQLSTATE {state})")

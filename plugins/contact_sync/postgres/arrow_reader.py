"""Read PostgreSQL query results as Arrow record batches (ADBC, binary COPY). An edge.

Driver errors are re-raised with SQLSTATE; the server's text only where it can hold no row value
(syntax, missing objects, permissions, connection).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR
from functools import partial
from typing import Any, TypeVar

import adbc_driver_manager
import pyarrow as pa
from adbc_driver_manager import AdbcStatement
from adbc_driver_manager._reader import AdbcRecordBatchReader

from contact_sync.base.errors import ConfigError, FatalError, RetryableError, SyncError
from contact_sync.base.heap import share_and_bound_heap
from contact_sync.postgres.adbc_session import Session, streamed
from contact_sync.postgres.certificates import with_reason
from contact_sync.postgres.faults import meaning
from contact_sync.postgres.waiting import begin

log = logging.getLogger(__name__)
BATCH_BYTES = 9 << 20
"""Size of one record batch of clients: bounds memory. Smaller ones are more, and what each of them
costs however few its rows are is 30 ms of CPU; larger ones need more memory than two slices may
take."""
BLOCK_BYTES = 4 << 20
"""The same of what costs nothing but its rows, as the state database's: four senders read at once.
"""

UNSHOWABLE = f"outside the years {MINYEAR} to {MAXYEAR}"

BOUNDS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""A server that is gone without a word is noticed after a minute (PostgreSQL docs, libpq)."""
LOGIN_SECONDS = 60.0
"""Of a new connection, with the driver's first questions; libpq's own limit is per host name."""
T = TypeVar("T")
_NO_TEXT = ("22021", "22P05")
"""The server checks what it converts: a database in SQL_ASCII may hold any bytes as text."""

_WRITES = "25006"
"""What is read here changes nothing, so that a read-only server is no reason for it."""


class NotText(FatalError):
    """A row holds bytes that are not text in UTF-8."""


@dataclass(slots=True)
class Connection:
    """A connection for reading. An answer is waited for `seconds`; once one didn't come in time,
    the connection is left to the thread that still waits for it: `is_silent`. `is_over`: a call
    has failed, so that it isn't used for another transaction."""

    raw: Session
    seconds: float
    is_silent: bool = False
    is_over: bool = False

    def call(self, ask: Callable[[], T], what: str) -> T:
        """What a call of the driver gives. Raises RetryableError when no answer comes in time."""
        done, self.is_over = begin(ask), True
        try:
            with translated(what):
                result = done.result(self.seconds)
        except TimeoutError:
            raise silent(what, self.seconds) from None
        finally:
            self.is_silent = not done.done()
        self.is_over = False
        return result

    @contextmanager
    def statement(self) -> Iterator[AdbcStatement]:
        """A statement, closed at the end."""
        statement = self.raw.statement()
        try:
            yield statement
        finally:
            if not self.is_silent:
                self.raw.close_statement(statement)

    def rollback(self, what: str) -> None:
        """End the transaction; the next statement begins another. Nothing was written in it, so
        that it does no harm if the server has ended it already, with the connection."""
        try:
            self.call(self.raw.rollback, what)
        except SyncError as error:
            log.info("A connection isn't used again: %s", error)

    def close(self) -> None:
        """Close it, unless a call is still under way."""
        if not self.is_silent:
            self.raw.close()


def open_connection(dsn: str, what: str, *, seconds: float) -> Connection:
    """A connection that the caller closes; `seconds` is the longest wait for an answer. Raises
    ConfigError or RetryableError, and names the database `what`."""
    use_memory_again()
    dsn = bounded(dsn)
    connecting = begin(partial(Session, dsn))
    try:
        with translated(what, dsn):
            return Connection(connecting.result(LOGIN_SECONDS), seconds)
    except TimeoutError:
        raise silent(what, LOGIN_SECONDS) from None


def use_memory_again() -> None:
    """Have Arrow take its memory from the C library, which keeps what was freed for the next batch.
    Arrow's own allocator soon gives it back, and each batch pays for new pages: a tenth of our CPU.
    """
    share_and_bound_heap()
    pa.set_memory_pool(pa.system_memory_pool())


def give_memory_back() -> None:
    """Give what the C library keeps of freed memory back to the system: each thread that has read
    ahead leaves some behind (glibc manual, malloc_trim; Arrow calls it for the system's pool)."""
    pa.default_memory_pool().release_unused()


def answers(connection: Connection) -> bool:
    """Whether it may be used again."""
    return not connection.is_over


def record_batches(
    connection: Connection, sql: str, what: str, *, batch_bytes: int = BLOCK_BYTES
) -> Iterator[pa.RecordBatch]:
    """Stream the rows of one statement; nothing is buffered beyond a batch."""
    with connection.statement() as statement:

        def begun() -> AdbcRecordBatchReader:
            statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(batch_bytes)})
            return _reader(statement, sql)

        reader = connection.call(begun, what)
        following = partial(next, reader, None)
        try:
            yield from iter(partial(connection.call, following, what), None)  # keeps none of them
        finally:
            if not connection.is_silent:
                reader.close()


def _reader(statement: AdbcStatement, sql: str) -> AdbcRecordBatchReader:
    """Arrow's own reader would raise Arrow's errors, which have no SQLSTATE."""
    stream = streamed(statement, sql)  # kept until it is handed over: else it is released
    return AdbcRecordBatchReader._import_from_c(stream.address)


def ahead(batches: Iterator[T]) -> Iterator[T]:
    """The batches; while one is worked on, a thread reads the next, which is one more in memory."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming, ready = pool.submit(next, batches, None), [batch]
            del batch
            yield ready.pop()  # kept by nobody but whoever works on it


def table(connection: Connection, sql: str, what: str, *, is_query: bool = True) -> pa.Table:
    """All rows of one statement; for results that are small or only integers.

    `is_query`: false for EXPLAIN, which COPY can't read.
    """

    def read(statement: AdbcStatement) -> pa.Table:
        if not is_query:
            statement.set_options(**{"adbc.postgresql.use_copy": "false"})
        return _reader(statement, sql).read_all()

    with connection.statement() as statement:
        return connection.call(partial(read, statement), what)


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
    connection: Connection, sql: str, what: str
) -> tuple[int, str, int | None] | None:
    """Where a statement that raised NotText has bytes that are no text: place and name of the
    column, and the row's client_id if it has one. Reads it again in a new transaction, unconverted.
    """
    connection.rollback(what)
    execute(connection, "SET client_encoding = 'SQL_ASCII'", what)
    for batch in record_batches(connection, sql, what):
        names = batch.schema.names
        for place, (name, column) in enumerate(zip(names, batch.columns, strict=True)):
            for row, value in enumerate(column):
                if pa.types.is_string(column.type) and not _is_text(value):
                    ids = batch.column("client_id") if "client_id" in names else None
                    return place, name, None if ids is None else ids[row].as_py()
    return None


def _is_text(value: pa.Scalar) -> bool:
    try:
        value.as_py()
    except UnicodeDecodeError:
        return False
    return True


def execute(connection: Connection, sql: str, what: str) -> None:
    """Run a statement that gives no rows."""
    with connection.statement() as statement:
        connection.call(lambda: streamed(statement, sql).release(), what)


def schema(connection: Connection, sql: str, what: str) -> pa.Schema:
    """Names and types of the columns that a statement would give; nothing is read."""

    def read(statement: AdbcStatement) -> pa.Schema:
        statement.set_sql_query(sql)
        statement.prepare()
        found = statement.execute_schema()  # kept, as the stream above
        return pa.Schema._import_from_c(found.address)

    with connection.statement() as statement:
        return connection.call(partial(read, statement), what)


@contextmanager
def translated(what: str, dsn: str | None = None) -> Iterator[None]:
    """Re-raise ADBC's errors as ours; `dsn`: the URL of a connection that isn't there yet."""
    try:
        yield
    except adbc_driver_manager.Error as error:
        raise _our_error(error, what, dsn) from None


def silent(what: str, seconds: float) -> RetryableError:
    """The error for a server that doesn't answer, although the connection lives."""
    return RetryableError(
        f"{what} gave no answer for {seconds:g} s, as when a proxy lives and the server behind it "
        f"doesn't: the call is given up"
    )


def bounded(dsn: str) -> str:
    """The URL with time-outs for what it doesn't say itself, and always with UTF-8: Arrow's texts
    are, whatever URL, role, database or PGCLIENTENCODING say. Of two values the last one counts.
    """
    more = [f"{key}={value}" for key, value in BOUNDS.items() if f"{key}=" not in dsn]
    return f"{dsn}{'&' if '?' in dsn else '?'}{'&'.join([*more, 'client_encoding=UTF8'])}"


def _our_error(error: Any, what: str, dsn: str | None) -> Exception:
    state, said = error.sqlstate or "", str(error)
    if state in _NO_TEXT:
        return NotText(
            f"{what} holds bytes that are not text in UTF-8 (SQLSTATE {state}), as a database in "
            f"SQL_ASCII may: correct the value"
        )
    if state == _WRITES:
        return ConfigError(
            f"{what} was refused, because it writes ({state}): a function that it calls, or one "
            f"that a view calls, changes something. It may only read: leave that function out"
        )
    return meaning(state, with_reason(said, dsn) if dsn else said, what)

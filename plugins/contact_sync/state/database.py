"""Connections and transactions of the state database. The only place that opens them.

Driver errors are re-raised without their text, because PostgreSQL puts row values into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeVar

import psycopg
from psycopg.rows import dict_row

from contact_sync.base.errors import STATE, ConfigError, Fenced, RetryableError
from contact_sync.postgres import arrow_reader, bounded
from contact_sync.postgres.certificates import with_reason
from contact_sync.postgres.cursor import Cursor, one
from contact_sync.postgres.faults import PASSING, meaning
from contact_sync.postgres.idle import Kept, is_alive
from contact_sync.postgres.literals import SINCE, TRANSACTION_LIMIT, settings_of_transaction
from contact_sync.state import statements

SQL = statements.load("database")
WHAT = STATE
"""What `arrow_reader` calls it in errors."""
C = TypeVar("C", bound=psycopg.Connection[Any])
SCHEMA_VERSION = "0041"
"""The newest migration in include/sql/state/migrations (compared by a test)."""

SETTINGS = {
    "lock_timeout": "60s",
    "statement_timeout": "900s",
    "idle_in_transaction_session_timeout": "900s",
    # The default, meant for disks that turn, reads the ledger for 1 % of its clients.
    "random_page_cost": "1.1",
    # What database or role may say of these would change texts, or which function is called.
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "search_path": "pg_catalog",
    # What a trigger or function says would reach the log; it may hold values of rows.
    "client_min_messages": "error",
}
"""Set at the beginning of every transaction, not of a connection: a pooler in transaction mode may
give each transaction another session of the server."""
ANSWER_SECONDS = 960.0
"""The longest wait for one answer: a minute more than the statement time-out, which a server that
has fallen silent can't keep."""


NOT_OWNER = (
    "its role may not do that; connect as the role that owns the schema contact_sync, see "
    "include/sql/state/roles.sql"
)


class Bounded(bounded.Bounded):
    """A connection that waits for no answer longer than ANSWER_SECONDS."""

    @property
    def answer_seconds(self) -> float:
        """The longest wait for one answer."""
        return ANSWER_SECONDS


def connect(dsn: str, kind: type[C], **options: Any) -> C:
    """A connection with which nothing is prepared: a kept one would plan without the values, and
    behind a pooler the next transaction may be in a session that doesn't know the statement.

    Raises ConfigError or RetryableError that says why there is none.
    """
    options |= {"application_name": "contact_sync", "prepare_threshold": None}
    dsn = arrow_reader.bounded(dsn)
    try:
        return kind.connect(dsn, **options)
    except psycopg.Error as error:
        raise meaning("", with_reason(str(error), dsn), WHAT) from None


class StateDatabase:
    """One PostgreSQL database with the schema `contact_sync`; `dsn` is a libpq URL, `connection_id`
    the Airflow connection that it comes from, to be named in errors."""

    def __init__(self, dsn: str, connection_id: str | None = None) -> None:
        self.dsn = dsn
        self.connection_id = connection_id
        self._writers: Kept[Bounded] = Kept()
        self._readers: Kept[arrow_reader.Connection] = Kept()

    @contextmanager
    def keeping_connections(self) -> Iterator[Self]:
        """Meanwhile a connection is kept for the next transaction instead of being closed: to open
        one takes four round trips and a new process at the server."""
        with self._writers.keeping(), self._readers.keeping():
            yield self

    @contextmanager
    def transaction(self, fence: tuple[int, int] | None = None) -> Iterator[Cursor]:
        """One transaction; `fence` = (sync_id, epoch) is checked right before the commit.

        Raises Fenced when a newer run holds the lease (nothing is written then), RetryableError
        or ConfigError when the database can't do it.
        """
        with translated(), self._writers.used(self._connect, is_alive) as connection:
            with connection.cursor() as cursor:
                cursor.execute(_begin(connection.info.server_version))
                yield cursor
                if fence:
                    _check_fence(cursor, fence)
            connection.commit()

    @contextmanager
    def reader(self) -> Iterator[arrow_reader.Connection]:
        """A connection for one bulk read."""
        with self._readers.used(self._connect_reader, arrow_reader.answers) as connection:
            arrow_reader.execute(connection, settings_of_transaction(SETTINGS), WHAT)
            yield connection
            connection.rollback(WHAT)

    def _connect(self) -> Bounded:
        # In autocommit the driver sends no BEGIN of its own: a transaction has one round trip less.
        return connect(self.dsn, Bounded, row_factory=dict_row, autocommit=True)

    def _connect_reader(self) -> arrow_reader.Connection:
        return arrow_reader.open_connection(self.dsn, WHAT, seconds=ANSWER_SECONDS)

    def check_schema(self) -> None:
        """Raise ConfigError unless the migrations of this version have run."""
        with self.transaction() as cursor:
            check_version(cursor, self.connection_id)


def check_version(cursor: Cursor, connection_id: str | None = None) -> None:
    """Raise ConfigError unless the migrations of this version have run; `connection_id` is the
    Airflow connection of the database, None = the one that `migrate` takes by itself."""
    is_migrated = one(cursor, SQL["is_migrated"])["found"]
    found = one(cursor, SQL["version"])["version_num"] if is_migrated else None
    if found and found > SCHEMA_VERSION:
        raise ConfigError(
            f"The state database's schema is at version {found}, newer than this code's "
            f"{SCHEMA_VERSION}: use the newer code"
        )
    if found != SCHEMA_VERSION:
        raise ConfigError(
            f"The state database's schema is at version {found or 'none'}, this code needs "
            f"{SCHEMA_VERSION}: run `python -m contact_sync migrate"
            f"{f' --connection {connection_id}' if connection_id else ''}`"
        )


def _begin(version: int) -> bytes:
    """BEGIN and `SET LOCAL`s in one message: the isolation level may still be chosen after them."""
    settings = SETTINGS | ({TRANSACTION_LIMIT: "0"} if version >= SINCE else {})
    return "".join(["BEGIN;", *(f"SET LOCAL {k} = '{v}';" for k, v in settings.items())]).encode()


def _check_fence(cursor: Cursor, fence: tuple[int, int]) -> None:
    sync_id, epoch = fence
    cursor.execute(SQL["fence"], {"sync_id": sync_id, "epoch": epoch})
    if cursor.fetchone() is None:
        raise Fenced(
            "Another run has taken this sync's lease; this one writes nothing more. "
            "Nothing is lost: the newer run continues from the same state"
        )


@contextmanager
def translated() -> Iterator[None]:
    """Re-raise psycopg's errors as ours, with SQLSTATE and without row values."""
    try:
        yield
    except psycopg.errors.ConnectionTimeout:
        raise RetryableError(f"{WHAT} gave no answer in time: check its health") from None
    except psycopg.Error as error:
        state = error.sqlstate or ""
        if isinstance(error, psycopg.OperationalError) or state.startswith(PASSING):
            raise meaning(state, str(error), WHAT) from None
        where = error.diag.constraint_name or error.diag.table_name or ""
        if state == "42501":
            raise ConfigError(f"{WHAT} refused a statement ({state}): {NOT_OWNER}") from None
        kind = type(error).__name__
        raise ConfigError(f"{WHAT} refused a statement: {kind} {state} {where}".rstrip()) from None

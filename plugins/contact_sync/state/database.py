"""Connections and transactions of the state database. The only place that opens them.

Driver errors are re-raised without their text, because PostgreSQL puts row values into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.rows import dict_row

from contact_sync.base.errors import ConfigError, Fenced, RetryableError
from contact_sync.postgres.cursor import Cursor, one
from contact_sync.state import statements

SQL = statements.load("database")
WHAT = "The state database"
"""What `arrow_reader` calls it in errors."""
SCHEMA_VERSION = "0012"
"""The newest migration in include/sql/state/migrations (compared by a test)."""

# random_page_cost: the default, meant for disks that turn, reads the ledger for 1 % of its clients.
_OPTIONS = (
    "-c lock_timeout=60s -c statement_timeout=900s "
    "-c idle_in_transaction_session_timeout=900s -c TimeZone=UTC "
    "-c random_page_cost=1.1"
)


class StateDatabase:
    """One PostgreSQL database with the schema `contact_sync`; `dsn` is a libpq URL."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    @contextmanager
    def transaction(self, fence: tuple[int, int] | None = None) -> Iterator[Cursor]:
        """One transaction; `fence` = (sync_id, epoch) is checked right before the commit.

        Raises Fenced when a newer run holds the lease (nothing is written then), RetryableError
        or ConfigError when the database can't do it.
        """
        with (
            translated(),
            psycopg.connect(
                self.dsn,
                options=_OPTIONS,
                client_encoding="UTF8",
                connect_timeout=10,
                application_name="contact_sync",
                row_factory=dict_row,
            ) as connection,
            connection.cursor() as cursor,
        ):
            yield cursor
            if fence:
                _check_fence(cursor, fence)

    def check_schema(self) -> None:
        """Raise ConfigError unless the migrations of this version have run."""
        with self.transaction() as cursor:
            check_version(cursor)


def check_version(cursor: Cursor) -> None:
    """Raise ConfigError unless the migrations of this version have run."""
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
            f"{SCHEMA_VERSION}: run `python -m contact_sync migrate`"
        )


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
    except psycopg.OperationalError as error:
        code = error.sqlstate or "no connection"
        raise RetryableError(
            f"The state database doesn't answer or gave up ({code}): check the state connection "
            f"and the database's health"
        ) from None
    except psycopg.Error as error:
        where = error.diag.constraint_name or error.diag.table_name or ""
        kind = type(error).__name__
        raise ConfigError(
            f"The state database refused a statement: {kind} {error.sqlstate} {where}".rstrip()
        ) from None

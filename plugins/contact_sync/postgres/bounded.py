"""psycopg's connection, which waits for no answer without end."""

from __future__ import annotations

from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.rows import dict_row

from contact_sync.postgres import arrow_reader
from contact_sync.postgres.certificates import with_reason
from contact_sync.postgres.faults import meaning

T = TypeVar("T")


class Bounded(psycopg.Connection[dict[str, Any]]):
    """A connection that waits for no answer longer than `answer_seconds`: for small questions."""

    @property
    def answer_seconds(self) -> float:
        """The longest wait for one answer."""
        return 10.0

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """As psycopg's, with a limit. Raises ConnectionTimeout."""
        longest, began = self.answer_seconds, monotonic()
        limit = min(timeout or longest, longest)
        try:
            return super().wait(gen, interval, limit)
        except psycopg.OperationalError as error:
            if error.sqlstate is None and monotonic() - began >= limit:
                raise psycopg.errors.ConnectionTimeout("no answer in time") from None
            raise

    def in_snapshot(self, what: str, *queries: str) -> list[dict[str, Any]]:
        """The rows of the last query; all are asked in one read-only transaction, by one message.
        Raises SyncError, which names the database `what`."""
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        try:
            cursor = self.execute("; ".join([begin, *queries, "COMMIT"]).encode())
            for _ in queries:
                cursor.nextset()
            return cursor.fetchall()
        except psycopg.Error as error:
            raise meaning(error.sqlstate or "", str(error), what) from None


def open_bounded(dsn: str, what: str) -> Bounded:
    """A connection in autocommit, with which nothing is prepared: behind a pooler the next question
    may reach another session. Raises ConfigError or RetryableError, and names the database `what`.
    """
    dsn = arrow_reader.bounded(dsn)
    try:
        return Bounded.connect(
            dsn, autocommit=True, row_factory=dict_row, prepare_threshold=None,
            application_name="contact_sync",
        )  # fmt: skip
    except psycopg.Error as error:
        raise meaning("", with_reason(str(error), dsn), what) from None

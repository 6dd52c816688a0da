"""A connection for whoever waits with asyncio: it asks small questions, and is told by NOTIFY.

As everywhere, no driver error leaves with a text that could hold a row's value.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from contact_sync.base.errors import RetryableError
from contact_sync.postgres.arrow_reader import bounded
from contact_sync.postgres.certificates import with_reason
from contact_sync.postgres.faults import meaning

ANSWER_SECONDS = 10.0
"""The longest wait for a connection, and for one answer: then a silent server is left."""


@dataclass(slots=True)
class Watching:
    """An open connection, in autocommit. `what` names the database in errors."""

    raw: psycopg.AsyncConnection[dict[str, Any]]
    what: str

    @classmethod
    async def open(cls, dsn: str, what: str) -> Watching:
        """Connect. Raises ConfigError or RetryableError that says why there is no connection.

        Nothing is prepared: behind a pooler the next question may reach another session.
        """
        dsn = bounded(dsn)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                raw = await psycopg.AsyncConnection.connect(
                    dsn, autocommit=True, row_factory=dict_row, prepare_threshold=None,
                    application_name="contact_sync_watch",
                )  # fmt: skip
        except TimeoutError:
            raise _silent(what) from None
        except psycopg.Error as error:
            raise meaning("", with_reason(str(error), dsn), what) from None
        return cls(raw, what)

    async def rows(self, *queries: str) -> list[dict[str, Any]]:
        """The rows of the last one; several are asked in one transaction. Raises SyncError."""
        with _translated(self.what):
            async with asyncio.timeout(ANSWER_SECONDS), self.raw.cursor() as cursor:
                if len(queries) == 1:
                    await cursor.execute(queries[0])
                    return await cursor.fetchall()
                async with self.raw.transaction():
                    for query in queries:
                        await cursor.execute(query)
                    return await cursor.fetchall()

    async def listen(self, channel: str) -> None:
        """Be told of every NOTIFY on this channel from now on. Raises SyncError."""
        with _translated(self.what):
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.raw.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))

    async def pause(self, seconds: float) -> bool:
        """Wait so long, or until something was notified: whether it was. Raises SyncError when the
        connection is lost meanwhile."""
        with _translated(self.what):
            told = [each async for each in self.raw.notifies(timeout=seconds, stop_after=1)]
        return bool(told)

    async def close(self) -> None:
        """Close it; asks the server nothing."""
        await self.raw.close()


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise _silent(what) from None
    except psycopg.Error as error:
        raise meaning(error.sqlstate or "", str(error), what) from None


def _silent(what: str) -> RetryableError:
    return RetryableError(
        f"{what} gave no answer within {ANSWER_SECONDS:.0f} seconds: check its health"
    )

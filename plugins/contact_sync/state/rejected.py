"""Read the rejected clients, for people: in pages by id, and as a stream of any length."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, LiteralString

from contact_sync.state.database import Cursor, StateDatabase, many

MAX_REASONS = 50
CHUNK = 5_000
"""So many clients are held in memory at once."""

_COLUMNS: LiteralString = """
    SELECT client_id, field, reason, tries, rejected_since AS first_seen, updated_at AS last_seen
    FROM contact_sync.ledger
"""
_WHICH: LiteralString = """
    WHERE sync_id = %(sync_id)s AND state = 'rejected' AND client_id > %(after)s
        AND (%(field)s::text IS NULL OR field = %(field)s)
        AND (%(reason)s::text IS NULL OR reason = %(reason)s)
    ORDER BY client_id
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rejected clients of a sync; None = of every field, for every reason."""

    sync_id: int
    field: str | None = None
    reason: str | None = None
    after: int = -1


def count_reasons(cursor: Cursor, sync_id: int) -> list[dict[str, Any]]:
    """field, reason and n, most first; at most MAX_REASONS of them."""
    return many(
        cursor,
        """SELECT field, reason, count(*) AS n, min(rejected_since) AS first_seen
           FROM contact_sync.ledger WHERE sync_id = %s AND state = 'rejected'
           GROUP BY field, reason ORDER BY n DESC, field, reason LIMIT %s""",
        (sync_id, MAX_REASONS),
    )


def page_of_clients(cursor: Cursor, which: Filter, limit: int) -> list[dict[str, Any]]:
    """client_id, field, reason, tries, first_seen and last_seen, by id; by index, wherever the page
    begins."""
    return many(
        cursor, _COLUMNS + _WHICH + " LIMIT %(limit)s", _parameters(which) | {"limit": limit}
    )


def all_clients(state: StateDatabase, which: Filter) -> Generator[list[dict[str, Any]], None, None]:
    """The same of everybody, CHUNK at a time, through a cursor on the server."""
    with state.transaction() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        with cursor.connection.cursor("rejected") as rows:
            rows.execute(_COLUMNS + _WHICH, _parameters(which))
            while chunk := rows.fetchmany(CHUNK):
                yield chunk


def _parameters(which: Filter) -> dict[str, Any]:
    return {
        "sync_id": which.sync_id, "field": which.field, "reason": which.reason,
        "after": which.after,
    }  # fmt: skip

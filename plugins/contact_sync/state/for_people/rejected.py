"""Read the rejected clients, for people: in pages by id, and as a stream of any length."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, dataclass
from typing import Any, LiteralString

from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state.database import StateDatabase

MAX_REASONS = 50
CHUNK = 5_000
"""So many clients are held in memory at once."""

_COLUMNS: LiteralString = """
    SELECT client_id, field, reason, tries, rejected_since AS first_seen, updated_at AS last_seen
    FROM contact_sync.ledger
"""
_WHICH: LiteralString = """
    WHERE sync_id = %(sync_id)s AND state = 'rejected' AND client_id > %(after)s
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
        """SELECT field, reason, count(*) AS n
           FROM contact_sync.ledger WHERE sync_id = %s AND state = 'rejected'
           GROUP BY field, reason ORDER BY n DESC, field, reason LIMIT %s""",
        (sync_id, MAX_REASONS),
    )


def page_of_clients(cursor: Cursor, which: Filter, limit: int) -> list[dict[str, Any]]:
    """client_id, field, reason, tries, first_seen and last_seen, by id; by index, wherever the page
    begins."""
    query, parameters = _query(which)
    return many(cursor, query + " LIMIT %(limit)s", parameters | {"limit": limit})


def all_clients(state: StateDatabase, which: Filter) -> Generator[list[dict[str, Any]], None, None]:
    """The same of everybody, CHUNK at a time, through a cursor on the server."""
    with state.transaction() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        with cursor.connection.cursor("rejected") as rows:
            rows.execute(*_query(which))
            while chunk := rows.fetchmany(CHUNK):
                yield chunk


def _query(which: Filter) -> tuple[LiteralString, dict[str, Any]]:
    """Only the conditions that are asked for: so the planner sees which index fits."""
    query = _COLUMNS + _WHICH
    if which.field is not None:
        query += " AND field = %(field)s"
    if which.reason is not None:
        query += " AND reason = %(reason)s"
    return query + " ORDER BY client_id", asdict(which)

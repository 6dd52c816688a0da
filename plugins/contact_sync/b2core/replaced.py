"""Whether a table was emptied or replaced while a snapshot was read.

TRUNCATE, and some forms of ALTER TABLE, aren't MVCC-safe (PostgreSQL docs, 13.6): to a snapshot
that was taken before, the table looks empty afterwards. So does a table that was dropped and made
again. Their rows are then in another file, or the table has another oid, than the snapshot sees.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from contact_sync.base.errors import RetryableError
from contact_sync.postgres import arrow_reader
from contact_sync.postgres.arrow_reader import Connection
from contact_sync.postgres.literals import literal

_REPLACED = """
SELECT named.name
FROM unnest({names}::text[]) AS named (name)
LEFT JOIN pg_class AS seen ON seen.oid = to_regclass(named.name)
WHERE
    seen.oid IS NULL
    OR seen.relfilenode <> coalesce(pg_relation_filenode(seen.oid), 0)
ORDER BY named.name
"""
"""A SELECT on pg_class sees the snapshot's moment, pg_relation_filenode the present one. Both are 0
for what has no file of its own: views, foreign and partitioned tables."""


def refuse_replaced(connection: Connection, statements: list[str], what: str) -> None:
    """Raise RetryableError when a table of one of the statements isn't the one that the open
    transaction sees. Only tables that the statements read are looked at, also below views."""
    tables = sorted({table for sql in statements for table in _tables(connection, sql, what)})
    if not tables:
        return
    query = _REPLACED.format(names=literal(tables))
    found = arrow_reader.table(connection, query, what).column("name").to_pylist()
    if found:
        raise RetryableError(
            f"{what}: {', '.join(found)} was emptied or replaced while it was read, as TRUNCATE or "
            f"ALTER TABLE do: what was read is dropped and read again"
        )


def _tables(connection: Connection, sql: str, what: str) -> Iterator[str]:
    rows = arrow_reader.plan(connection, sql, what)
    return _relations(json.loads(rows))


def _relations(plan: Any) -> Iterator[str]:
    """Quoted names of the tables in a plan, as EXPLAIN (VERBOSE, FORMAT JSON) gives it."""
    if isinstance(plan, list):
        for part in plan:
            yield from _relations(part)
    if isinstance(plan, dict):
        if "Relation Name" in plan:
            parts = (plan.get("Schema"), plan["Relation Name"])
            yield ".".join('"' + part.replace('"', '""') + '"' for part in parts if part)
        for part in plan.values():
            if isinstance(part, list | dict):
                yield from _relations(part)

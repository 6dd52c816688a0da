"""Small helpers around psycopg's cursor, with rows as dictionaries."""

from __future__ import annotations

from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from contact_sync.base.errors import SyncError

Cursor = psycopg.Cursor[dict[str, Any]]
Row = TypeVar("Row")


def row_of(cursor: Cursor) -> dict[str, Any]:
    """The one row that the statement just executed must have given."""
    row = cursor.fetchone()
    if row is None:
        raise SyncError("The state database gave no row where one must exist")
    return row


def one(cursor: Cursor, query: LiteralString, parameters: Any = None) -> dict[str, Any]:
    """Execute and return the one row that must exist."""
    cursor.execute(query, parameters)
    return row_of(cursor)


def many(cursor: Cursor, query: LiteralString, parameters: Any = None) -> list[dict[str, Any]]:
    """Execute and return all rows; for results that are small by nature."""
    cursor.execute(query, parameters)
    return cursor.fetchall()


def rows_as(
    kind: type[Row], cursor: Cursor, query: LiteralString, parameters: Any = None
) -> list[Row]:
    """All rows of a small result as objects of a dataclass, whose fields are the columns' names."""
    with cursor.connection.cursor(row_factory=class_row(kind)) as typed:
        return typed.execute(query, parameters).fetchall()


def analyze(cursor: Cursor, what: LiteralString) -> None:
    """Tell the planner about a table's columns, from a tenth of the usual sample: 3,000 rows."""
    cursor.execute("SET LOCAL default_statistics_target = 10")
    cursor.execute(sql.SQL("ANALYZE {}").format(sql.SQL(what)))

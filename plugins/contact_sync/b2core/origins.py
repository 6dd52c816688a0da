"""Which table a column of a statement comes from, as PostgreSQL's plan says.

The plan's nodes name their tables, and what each of them gives in terms of them (PostgreSQL docs,
EXPLAIN, VERBOSE).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from contact_sync.postgres import arrow_reader

_REFERENCE = re.compile(r'("[^"]+"|[a-z_]\w*)\.("[^"]+"|[a-z_]\w*)')
_BARE = re.compile(r'\(?("[^"]+"|[a-z_]\w*)\)?(?:::.*)?')
"""A column of the only table, perhaps with a cast."""
DEEPEST = 10  # subqueries inside each other


def origin_of(
    connection: arrow_reader.Connection, sql: str, position: int, what: str
) -> tuple[str, str] | None:
    """Table and column that the `position`-th column (from 0) of a statement's rows comes from.

    None when it is made of nothing that has a name.
    """
    (row,) = arrow_reader.table(
        connection, f"EXPLAIN (VERBOSE, FORMAT JSON) {sql}", what, is_query=False
    ).to_pylist()
    (plan,) = json.loads(next(iter(row.values())))
    top = plan["Plan"]
    output = top.get("Output", [])
    return _resolved(output[position], top, DEEPEST) if position < len(output) else None


def place_of_no_text(
    connection: arrow_reader.Connection, sql: str, name: str, what: str
) -> str | None:
    """Where the statement `name` reads bytes that are no text, in words; None = nowhere."""
    if (found := arrow_reader.first_that_is_no_text(connection, sql, what)) is None:
        return None
    place, column, client_id = found
    table, own = origin_of(connection, sql, place, what) or (f"of {name}.sql", column)
    shown = "" if own == column else f" (in {name}.sql {column!r})"
    whose = "" if client_id is None else f", of client {client_id}"
    return f"it is table {table}, column {own!r}{shown}{whose}"


def _resolved(expression: str, plan: dict[str, Any], depth: int) -> tuple[str, str] | None:
    if "Relation Name" in plan and (bare := _BARE.fullmatch(expression)):
        return f"{plan['Schema']}.{plan['Relation Name']}", bare[1].strip('"')
    for alias, column in _REFERENCE.findall(expression):
        for node in _nodes(plan):
            if node.get("Alias") != alias.strip('"'):
                continue
            if "Relation Name" in node:
                return f"{node['Schema']}.{node['Relation Name']}", column.strip('"')
            inner = (one for child in node.get("Plans", []) for one in child.get("Output", []))
            same = next((one for one in inner if one.endswith(f".{column}")), None)
            if same is not None and depth:
                return _resolved(same, node["Plans"][0], depth - 1)
    return None


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)

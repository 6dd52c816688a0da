"""What a statement reads, as PostgreSQL's plan says (PostgreSQL docs, EXPLAIN, VERBOSE)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SINCE = re.compile(
    r"\((?:\w+\.)?(\w+) >=? '[^']*'::timestamp (?:with|without) time zone\)", re.IGNORECASE
)
"""A bare column compared with a constant time."""
KINDS = """
SELECT
    pg_namespace.nspname AS schema_name,
    pg_class.relname AS name,
    pg_class.relkind::text AS kind
FROM pg_class
INNER JOIN pg_namespace ON pg_class.relnamespace = pg_namespace.oid
WHERE (pg_namespace.nspname || '.' || pg_class.relname) = ANY({names}::text[])
"""
WITHOUT_ZONE = """
SELECT columns.name
FROM unnest({names}::text[]) AS columns (name)
CROSS JOIN pg_class
INNER JOIN pg_namespace ON pg_class.relnamespace = pg_namespace.oid
INNER JOIN pg_attribute ON pg_attribute.attrelid = pg_class.oid
WHERE
    columns.name = pg_namespace.nspname || '.' || pg_class.relname || '.' || pg_attribute.attname
    AND pg_attribute.atttypid = 'timestamp without time zone'::regtype
ORDER BY columns.name
"""
"""By names: to_regclass() needs USAGE on the schema, and a view's tables may be in one without."""


@dataclass(frozen=True, slots=True, order=True)
class Table:
    """A table or materialized view, or a foreign table; `kind` is pg_class.relkind."""

    schema: str
    name: str
    kind: str = ""

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


def nodes(plan: Any) -> Iterator[dict[str, Any]]:
    """Every node of a plan, as EXPLAIN (VERBOSE, FORMAT JSON) gives it, subplans included."""
    if isinstance(plan, list):
        for part in plan:
            yield from nodes(part)
    elif isinstance(plan, dict):
        if "Node Type" in plan:
            yield plan
        for part in plan.values():
            if isinstance(part, list | dict):
                yield from nodes(part)


def tables(plan: Any) -> set[Table]:
    """The tables that a plan reads, also below views."""
    return {
        Table(node.get("Schema", ""), node["Relation Name"])
        for node in nodes(plan)
        if "Relation Name" in node
    }


def compared_with_a_time(plan: Any) -> list[str]:
    """schema.table.column of every bare column that the plan compares with a constant time."""
    found = {
        f"{node.get('Schema', '')}.{node['Relation Name']}.{column}"
        for node in nodes(plan)
        if "Relation Name" in node
        for key in ("Filter", "Index Cond", "Recheck Cond")
        for column in _SINCE.findall(node.get(key, ""))
    }
    return sorted(found)

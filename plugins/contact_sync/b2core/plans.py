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


PASSING = {"Append", "Gather", "Result", "Subquery Scan"}
"""Nodes that pass all rows on, if they have no filter."""

RELATIONSHIPS = {"Outer", "Member", "Subquery"}
"""A child whose rows are passed on; "InitPlan" and "SubPlan" give values to compare with."""


def is_told_row_by_row(scan: Any, changed: Any) -> bool:
    """Whether `changed` tells the id of each changed row that `scan` makes a client of. Plans.

    For that each client is one row of one table, partitions included, and `changed` reads all of
    their rows, filtered by nothing that is added to the age of `xmin`, and gives the same column.
    """
    read, is_simple = _rows_passed(scan)
    changes, _ = _rows_passed(changed)
    told = {
        (node["Schema"], node["Relation Name"]): _bare(node["Output"][0])
        for node in changes
        if _is_by_age(node.get("Filter", ""))
    }
    return is_simple and bool(read) and all(_has_told(node, told) for node in read)


def giving_rows(plan: Any) -> set[str]:
    """schema.table of those whose rows reach the top one by one; the plan reads others only to look
    something up in them."""
    return {f"{node['Schema']}.{node['Relation Name']}" for node in _rows_passed(plan)[0]}


def _has_told(node: dict[str, Any], told: dict[tuple[str, str], str]) -> bool:
    client_id = told.get((node["Schema"], node["Relation Name"]))
    return client_id is not None and client_id in [_bare(column) for column in node["Output"]]


def _rows_passed(plan: Any) -> tuple[list[dict[str, Any]], bool]:
    """The scans of tables whose rows reach the top one by one; whether there is nothing else."""
    node = plan[0]["Plan"] if isinstance(plan, list) else plan
    if node["Node Type"] == "Seq Scan":
        return [node], not node.get("Plans")
    if node["Node Type"] not in PASSING or "Filter" in node or "Plans" not in node:
        return [], False
    children = [child for child in node["Plans"] if child["Parent Relationship"] in RELATIONSHIPS]
    found = [_rows_passed(child) for child in children]
    is_simple = all(simple for _, simple in found) and len(children) == len(node["Plans"])
    return [scan for scans, _ in found for scan in scans], is_simple


def _is_by_age(condition: str) -> bool:
    """Whether every row passes that is young enough: its age is one of several reasons, or all."""
    return "xmin" in condition and " AND " not in condition and "NOT " not in condition


def _bare(expression: str) -> str:
    """Without the table's alias, which is another one for each partition."""
    return re.sub(r'(?:"[^"]+"|\b[^\W\d]\w*)\.', "", expression)

"""Write how changed clients are found: changed_xmin.sql and changed_updated_at.sql. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from contact_sync.b2core.setup import finding
from contact_sync.b2core.setup.joins import indented
from contact_sync.b2core.setup.parts import Child, Hop, Proposal, Value
from contact_sync.b2core.setup.spellings import snaked
from contact_sync.b2core.setup.tables import Relation, quoted
from contact_sync.b2core.setup.write_sql import comment, statement

Changed = Callable[[str, Relation], str | None]
"""Alias and relation → SQL that is true for changed rows; None = they can't be told."""
HORIZON = "age(%(horizon)s::text::xid)"
SINCE = "%(since)s::timestamptz"


def changed_xmin_sql(found: Proposal) -> str:
    """Who changed since an earlier snapshot; only when every relation has xmin."""

    def changed(alias: str, _relation: Relation) -> str:
        return f"age({quoted(alias)}.xmin) <= (SELECT {HORIZON})"

    head = [
        "-- Purpose:    the clients that a transaction touched which an earlier snapshot did not see for certain.",
        "-- Parameters: horizon  the earlier snapshot's pg_snapshot_xmin modulo 2^32, as decimal text",
        "-- Columns:    client_id bigint, in no order; a client may come more than once",
        "-- Indexes:    none, one sequential scan per big table",
        "-- Not seen: a deleted row of another table than the clients' leaves no row behind; PostgreSQL's counts tell",
        "-- of it, where the table has a SELECT of its own. Needs tables: xmin is not visible through views.",
    ]
    return statement([*head, *_union(found, changed)])


def changed_updated_at_sql(found: Proposal) -> str:
    """Who changed since a moment."""

    def changed(alias: str, relation: Relation) -> str | None:
        column = finding.moment(relation, "updated")
        if column is None:
            return None
        name = f"{quoted(alias)}.{quoted(column.name)}"
        return f"({name} >= {SINCE} OR {name} IS NULL)"

    head = [
        "-- Purpose:    the clients with a row that was updated at or after a moment. Weaker than xmin: the caller goes",
        "--             back by an overlap, and a transaction that stays open longer is missed until the full run.",
        "-- Parameters: since  timestamptz, inclusive",
        "-- Columns:    client_id bigint, in no order; a client may come more than once",
        "-- Indexes:    none, one sequential scan per big table",
        "-- A row without a time is always selected: nothing says that it did not change.",
        *(comment(f"-- Not seen: {each} has no time of its last change; the nightly full run finds changes there.")
          for each in unseen(found)),
    ]  # fmt: skip
    if finding.moment(found.clients, "updated") is None:
        head.append(comment(
            f"-- {found.clients} has no time that every change sets: every run looks at every client."
        ))  # fmt: skip
    return statement([*head, *_union(found, changed)])


def unseen(found: Proposal) -> list[str]:
    """Relations besides the clients' whose changes no time tells."""
    others = [relation for relation in found.relations if relation is not found.clients]
    return [str(each) for each in others if finding.moment(each, "updated") is None]


def _union(found: Proposal, changed: Changed) -> list[str]:
    parts = [_select(found, found.clients, found.key.column.name, found.own, changed)]
    for child in _different(found.children):
        values = found.of_child(child)
        if changed("", child.relation) or _conditions("", values, changed):
            parts.append(_select(found, child.relation, child.client.name, values, changed))
    lines = parts[0]
    for part in parts[1:]:
        lines += ["UNION ALL", *part]
    return lines


def _different(children: list[Child]) -> list[Child]:
    return list({(str(child.relation), child.client.name): child for child in children}.values())


def _select(
    found: Proposal, relation: Relation, client: str, values: list[Value], changed: Changed
) -> list[str]:
    alias = snaked(relation.name)
    identity = found.key.of(f"{quoted(alias)}.{quoted(client)}")
    own = changed(alias, relation)
    lines = [f"SELECT {identity} AS client_id", f"FROM {relation.sql} AS {quoted(alias)}"]
    # Of the clients themselves all are looked at when no time tells which ones changed.
    if own is None and relation is found.clients:
        return lines
    conditions = [*([own] if own else []), *_conditions(alias, values, changed)]
    client_given = (
        "" if relation is found.clients else f"{quoted(alias)}.{quoted(client)} IS NOT NULL"
    )
    told = [f"OR {each}" if n else each for n, each in enumerate(conditions)]
    if client_given:
        told = [client_given, "AND (", *indented(told, 1), ")"]
    return [*lines, "WHERE", *indented(told, 1)]


def _conditions(alias: str, values: Iterable[Value], changed: Changed) -> list[str]:
    """One for each column that leads to rows which may have changed."""
    ways = dict.fromkeys(value.hops for value in values if value.hops)
    return _of_hops(alias, list(ways), changed)


def _of_hops(alias: str, ways: list[tuple[Hop, ...]], changed: Changed) -> list[str]:
    found = []
    for hop in dict.fromkeys(way[0] for way in ways):
        target = snaked(hop.relation.name)
        target = f"{target}_of" if target == alias else target
        further = [way[1:] for way in ways if way[0] == hop and way[1:]]
        own = changed(target, hop.relation)
        inner = [*([own] if own else []), *_of_hops(target, further, changed)]
        if inner:
            found.append(
                f"{quoted(alias)}.{quoted(hop.column)} = ANY(ARRAY(\n"
                f"        SELECT {quoted(target)}.{quoted(hop.key)} FROM {hop.relation.sql} AS "
                f"{quoted(target)}\n        WHERE {' OR '.join(inner)}\n    ))"
            )
    return found

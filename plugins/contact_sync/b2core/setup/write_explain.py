"""Write explain.sql: why clients.sql shows this phone and address of a client. Pure."""

from __future__ import annotations

from contact_sync.b2core.setup.finding import moment, named
from contact_sync.b2core.setup.joins import Joins, anded, indented, separated
from contact_sync.b2core.setup.parts import Child, Proposal, Value
from contact_sync.b2core.setup.spellings import KINDS, snaked
from contact_sync.b2core.setup.tables import INTEGERS, TIMES
from contact_sync.b2core.setup.write_sql import cast, comment, statement

VALUES = ("phone", "address_line_1", "address_line_2", "city", "state", "postal_code", "country")
RULES = {
    "phone": "confirmed, then preferred, then updated most recently",
    "address": "residential, mailing, legal, billing; then preferred, then updated most recently",
}


def explain_sql(found: Proposal) -> str | None:
    """For the look-up; None when no phone or address is chosen among several rows."""
    parts = [("phone", found.phone_rows), ("address", found.address_rows)]
    selects = [_select(found, part, child) for part, child in parts if child]
    if not selects:
        return None
    head = [
        "-- Purpose:    why clients.sql shows these phone and address values for one client: all rows that it chooses",
        "--             from, in the order of the rule. Read by the look-up only, never by a run.",
        "-- Parameters: client_id  bigint",
        "-- Columns:    part ('phone' or 'address'), place (1 = the one that clients.sql shows), row_id, label (what kind",
        "--             of row it is), updated_at, reason (why it has this place), and the values as in clients.sql",
        comment(
            "-- Indexes:    " + ", ".join(f"{c.relation} ({c.client.name})" for _, c in parts if c)
        ),
        "-- Keep it equal to clients.sql: the look-up says so when the two choose different rows.",
    ]
    lines = selects[0]
    for more in selects[1:]:
        lines += ["UNION ALL", *more]
    return statement([*head, *lines, "ORDER BY part DESC, place ASC, row_id DESC"])


def _select(found: Proposal, part: str, child: Child) -> list[str]:
    joins = Joins(child.relation, snaked(child.relation.name))
    client = joins.column((), child.client.name)
    order = [joins.of(value) for value in child.order] or [client]
    kind = next((c for c in named(child.relation, KINDS[:9]) if c.is_text), None)
    at = moment(child.relation, "updated") or moment(child.relation, "registered_on")
    columns = [
        f"'{part}' AS part",
        "(row_number() OVER rule_order)::integer AS place",
        f"{_row_id(joins, child)} AS row_id",
        f"{joins.of(Value(kind)) if kind else 'NULL::text'} AS label",
        f"{_time(joins.column((), at.name), at.type) if at else 'NULL::timestamptz'} AS updated_at",
        "CASE\n"
        "    WHEN count(*) OVER () = 1 THEN 'the only one'\n"
        f"    WHEN row_number() OVER rule_order = 1 THEN 'first of: {RULES[part]}'\n"
        "    ELSE 'after the chosen one by the same rule'\n"
        "END AS reason",
    ]
    for name in VALUES:
        value = child.values.get(name)
        columns.append(
            f"{cast(joins.of(value), '::text')} AS {name}" if value else f"NULL::text AS {name}"
        )
    conditions = [f"{found.key.compared(client)} = %(client_id)s", *map(joins.of, child.where)]
    listed = [line for each in separated(columns, ",") for line in each.split("\n")]
    return [
        "SELECT",
        *indented(listed, 1),
        *joins.lines,
        "WHERE",
        *indented(anded(conditions), 1),
        "WINDOW rule_order AS (",
        "    ORDER BY",
        *indented(separated(order, ","), 2),
        ")",
    ]


def _row_id(joins: Joins, child: Child) -> str:
    keys = child.relation.primary_key
    column = child.relation.get(keys[0]) if len(keys) == 1 else None
    column = column or next(named(child.relation, ("id", "uuid")), None)
    if column is None:
        return "0::bigint"
    reference = joins.column((), column.name)
    if column.type in INTEGERS:
        return f"{reference}::bigint"
    return f"hashtextextended({reference}::text, 0)"


def _time(reference: str, kind: str) -> str:
    return f"{reference} AT TIME ZONE 'UTC'" if kind == TIMES[1] else f"{reference}::timestamptz"

"""Write a proposal as the statements of the source contract (include/sql/b2core/README.md). Pure.

Each has the same comment head as the statements for the demo's tables.
"""

from __future__ import annotations

import re

from contact_sync.b2core.setup.joins import (
    BOUNDS,
    Joins,
    anded,
    chosen,
    indented,
    joined_child,
    separated,
)
from contact_sync.b2core.setup.parts import Child, Proposal, Value
from contact_sync.b2core.setup.phones import combined
from contact_sync.b2core.setup.spellings import snaked
from contact_sync.b2core.setup.tables import XMIN_KINDS, text_literal

CONTRACT = (
    "email", "first_name", "last_name", "phone", "address_line_1", "address_line_2", "city", "state",
    "postal_code", "country", "country_code", "status", "client_type", "verification_level",
    "jurisdiction", "registered_on",
)  # fmt: skip


def has_xmin(found: Proposal) -> bool:
    """Whether every relation that is read shows its rows' xmin."""
    return all(relation.kind in XMIN_KINDS for relation in found.relations)


class _Source:
    """The part that clients.sql and scan.sql share: who the clients are, and who isn't sent."""

    def __init__(self, found: Proposal, *, bounded: bool) -> None:
        self.found = found
        self.bounded = bounded
        self.joins = Joins(found.clients, snaked(found.clients.name))
        key = self.joins.column((), found.key.column.name)
        self.key, self.client_id, self.compared = key, found.key.of(key), found.key.compared(key)
        self.subqueries: list[str] = []
        self.conditions: list[str] = []
        self.reasons: list[tuple[str, str]] = []
        for rule in found.rules:
            if rule.child:
                alias = self.child(rule.child, "latest_consents", rule.values)
                said = f"{alias}.refused"
                none = f"{alias}.client_id IS NULL"
                condition = f"{none} OR {said}" if rule.without else said
            else:
                condition = " OR ".join(map(self.joins.of, rule.values))
            if rule.reason:
                self.reasons.append((condition, rule.reason))
            else:
                self.conditions.append(f"({condition}) IS NOT TRUE")

    def child(self, child: Child, alias: str, refusals: tuple[Value, ...] = ()) -> str:
        """Join the chosen row of a child; returns its alias."""
        alias = self.joins.free(alias)
        lines = chosen(child, self.found.key, refusals, bounded=self.bounded)
        self.subqueries += joined_child(lines, alias, self.compared)
        return alias

    @property
    def exclusion(self) -> list[str]:
        """SQL of the reason why a client must not be sent."""
        if not self.reasons:
            return ["NULL::text AS exclusion"]
        cases = [f"WHEN {condition} THEN {text_literal(reason)}"
                 for condition, reason in self.reasons]  # fmt: skip
        return ["CASE", *indented(cases, 1), "END::text AS exclusion"]

    @property
    def sources(self) -> list[str]:
        """FROM with all joins."""
        return [*self.joins.lines, *self.subqueries]


def clients_sql(found: Proposal) -> str:
    """What every contact is made of."""
    source = _Source(found, bounded=True)
    values = {name: source.joins.of(value) for name, value in found.values.items()}
    phones = [source.joins.of(value) for value in found.phones]
    if found.phone_rows:
        alias = source.child(found.phone_rows, "chosen_phones")
        phones = [f"{alias}.phone", *phones]
    if phones:
        values["phone"] = combined(phones)
    if found.address_rows:
        alias = source.child(found.address_rows, "chosen_addresses")
        own = values.get("country_code")
        values |= {name: f"{alias}.{name}" for name in found.address_rows.values}
        codes = [values["country_code"]] if "country_code" in values else []
        codes += [own] if own and own not in codes else []
        if found.country_rows:
            other = source.child(found.country_rows, "other_countries")
            number = values["phone"]
            codes.append(f"CASE WHEN {number} IS NOT NULL THEN {other}.country_code END")
        if len(codes) > 1:
            values["country_code"] = f"coalesce({', '.join(codes)})"
    values |= {name: source.joins.of(value) for name, value in found.more.items()}
    columns = [f"{source.client_id} AS client_id"]
    for name in (*CONTRACT, *found.more):
        kind = "" if name in found.more else "::date" if name == "registered_on" else "::text"
        columns.append(f"{cast(values.get(name, 'NULL'), kind)} AS {name}")
    if found.key.hashed:
        columns.append(f"{cast(source.key, '::text')} AS client_key")
    columns = separated([*columns, "\n".join(source.exclusion)], ",")
    bounds = [bound.format(id=source.compared) for bound in BOUNDS]
    return statement(
        [*_clients_head(found), "SELECT", *indented(_lines(columns), 1), *source.sources, "WHERE",
         *indented(anded([*bounds, *source.conditions]), 1)]
    )  # fmt: skip


def scan_sql(found: Proposal) -> str:
    """Which clients and addresses exist."""
    source = _Source(found, bounded=False)
    columns = [
        f"{source.client_id} AS client_id,",
        f"{cast(source.joins.of(found.values['email']), '::text')} AS email,",
        "-- Keep it equal to clients.sql.",
        *source.exclusion,
    ]
    where = ["WHERE", *indented(anded(source.conditions), 1)] if source.conditions else []
    head = [
        "-- Purpose:    every client's address, to find deleted clients, changed e-mails and shared addresses.",
        "-- Parameters: none",
        "-- Columns:    client_id bigint, email text, exclusion text; in no order",
        "-- Indexes:    none, one sequential scan",
    ]
    return statement([*head, "SELECT", *indented(columns, 1), *source.sources, *where])


def _clients_head(found: Proposal) -> list[str]:
    key = found.key.column.name
    key_column = ("client_key",) if found.key.hashed else ()
    lines = [
        "-- Purpose:    what every contact is made of, one row per client (the column contract:",
        "--             include/sql/b2core/README.md). Written by `init` from the tables' names and samples: check it.",
        "-- Parameters: first_id, last_id  bigint, inclusive bounds of the slice",
        "--             ids                bigint[], only these clients of the slice; NULL = all of them",
        "-- Columns:    client_id, " + ", ".join(CONTRACT[:8]) + ",",
        "--             " + ", ".join((*CONTRACT[8:], *found.more, *key_column, "exclusion")),
    ]
    if found.key.hashed:
        lines += [
            f"-- Key:        {found.clients} has {key}, which is {found.key.column.type}: the client's id is",
            f"--             hashtextextended({key}::text, 0), a bigint that may be negative; client_key is what",
            "--             people see, and look clients up by.",
            f"-- Indexes:    {found.clients} (hashtextextended({key}::text, 0)), and the same of the tables below,",
            "--             help above some hundred thousand clients",
        ]
    else:
        children = [f"{c.relation} ({c.client.name})" for c in found.children]
        lines.append(f"-- Indexes:    {', '.join([f'{found.clients} ({key})', *children])}")
    if found.phone_rows:
        lines.append(
            "-- Phone:      the confirmed one, else the preferred, else the most recently updated."
        )
    if found.address_rows:
        lines.append(
            "-- Address:    residential, else mailing, else legal, else billing, never birth place."
        )
    for rule in found.rules:
        what = f"have the exclusion {rule.reason!r}" if rule.reason else "are left out"
        lines.append(f"-- Not sent:   {rule.told} {what}.")
    lines = [comment(line) for line in lines]
    return [*lines, "-- Lookups are joined LEFT: a dangling key must not lose the client."]


def cast(expression: str, kind: str) -> str:
    """The expression of this type; one that is a column with a cast already stays as it is."""
    if expression.endswith(kind) and (not kind or "\n" not in expression):
        return expression
    simple = re.fullmatch(r'(?:\w+\.)?(?:\w+|"[^"]+")', expression)
    return f"{expression}{kind}" if simple else f"({expression}){kind}"


def comment(text: str) -> str:
    """A line of comment that stays one, whatever names are in it, and holds no placeholder."""
    return " ".join(text.splitlines()).replace("%(", "% (")


def _lines(parts: list[str]) -> list[str]:
    return [line for part in parts for line in part.split("\n")]


def statement(lines: list[str]) -> str:
    """The text of a file."""
    return "\n".join(lines) + "\n"

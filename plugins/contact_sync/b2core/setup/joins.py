"""Write where a statement's values come from: aliases, joins, and the one row of several. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from contact_sync.b2core.setup.parts import REF, Child, Hop, Key, Value
from contact_sync.b2core.setup.spellings import snaked
from contact_sync.b2core.setup.tables import Relation, quoted

BOUNDS = (
    "{id} BETWEEN %(first_id)s AND %(last_id)s",
    "(%(ids)s::bigint[] IS NULL OR {id} = ANY(%(ids)s::bigint[]))",
)


class Joins:
    """The joins of one SELECT; each way to a row is joined once, whoever asks for it."""

    def __init__(self, base: Relation, alias: str) -> None:
        self.alias = alias
        self.lines: list[str] = [f"FROM {base.sql} AS {quoted(alias)}"]
        self._taken = {alias}
        self._by_way: dict[tuple[tuple[str, str, str], ...], str] = {}

    def of(self, value: Value) -> str:
        """SQL of a value; what it needs is joined."""
        return value.form.replace(REF, self.column(value.hops, value.column.name))

    def column(self, hops: tuple[Hop, ...], name: str) -> str:
        """SQL of a column of the row that the hops lead to."""
        return f"{quoted(self._joined(hops))}.{quoted(name)}"

    def free(self, wanted: str) -> str:
        """An alias that nothing has yet."""
        alias, number = wanted, 1
        while alias in self._taken:
            number += 1
            alias = f"{wanted}_{number}"
        self._taken.add(alias)
        return alias

    def _joined(self, hops: tuple[Hop, ...]) -> str:
        if not hops:
            return self.alias
        way = tuple((hop.column, str(hop.relation), hop.key) for hop in hops)
        if way not in self._by_way:
            hop = hops[-1]
            parent = self._joined(hops[:-1])
            alias = self.free(snaked(hop.relation.name))
            self._by_way[way] = alias
            self.lines += [
                f"LEFT JOIN {hop.relation.sql} AS {quoted(alias)}",
                f"    ON {quoted(parent)}.{quoted(hop.column)} = {quoted(alias)}.{quoted(hop.key)}",
            ]
        return self._by_way[way]


def chosen(child: Child, key: Key, refusals: tuple[Value, ...], *, bounded: bool) -> list[str]:
    """The lines of a subquery with the chosen row of each client: `client_id`, to be compared with
    the client's key, the child's values, and `refused` where any of `refusals` is true.

    `bounded`: of the slice only; without it DISTINCT ON would sort the whole relation for every
    small run.
    """
    joins = Joins(child.relation, snaked(child.relation.name))
    client = joins.column((), child.client.name)
    identity = key.compared(client)
    listed = [f"{joins.of(value)} AS {name}" for name, value in child.values.items()]
    if refusals:
        said = " OR ".join(f"({joins.of(value)})" for value in refusals)
        listed.append(f"{said} AS refused")
    order = [f"{identity} ASC", *map(joins.of, child.order)]
    conditions = [f"{client} IS NOT NULL", *map(joins.of, child.where)]
    if bounded:
        conditions += [bound.format(id=identity) for bound in BOUNDS]
    own = identity if identity.endswith(".client_id") else f"{identity} AS client_id"
    listed = separated([own, *listed], ",")
    return [
        f"SELECT DISTINCT ON ({identity})",
        *indented([line for each in listed for line in each.split("\n")], 1),
        *joins.lines,
        "WHERE",
        *indented(anded(conditions), 1),
        "ORDER BY",
        *indented(separated(order, ","), 1),
    ]


def joined_child(lines: list[str], alias: str, identity: str) -> list[str]:
    """Such a subquery as a join."""
    return ["LEFT JOIN (", *indented(lines, 1), f") AS {alias} ON {identity} = {alias}.client_id"]


def anded(conditions: Iterable[str]) -> list[str]:
    """The conditions, one a line."""
    return [f"AND {each}" if n else each for n, each in enumerate(conditions)]


def separated(parts: Iterable[str], mark: str) -> list[str]:
    """The parts, each with the mark after it but the last."""
    listed = list(parts)
    return [f"{each}{mark}" if n + 1 < len(listed) else each for n, each in enumerate(listed)]


def indented(lines: Iterable[str], depth: int) -> list[str]:
    """The lines further to the right; those inside a text of several lines stay as they are."""
    return [f"{'    ' * depth}{line}" for line in lines]

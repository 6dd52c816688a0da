"""What a proposal is made of: where each value comes from. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from contact_sync.b2core.setup.tables import Column, Relation

REF = "{0}"
"""In a form: the column, as the statement writes it."""


@dataclass(frozen=True, slots=True)
class Hop:
    """From a row to at most one row of another relation: parent.`column` = relation.`key`."""

    column: str
    relation: Relation
    key: str


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a row: a column of it, or of a row that `hops` lead to; `form` is the SQL that
    is made of it, with REF where the column stands."""

    column: Column
    hops: tuple[Hop, ...] = ()
    form: str = f"{REF}::text"


@dataclass(frozen=True, slots=True)
class Key:
    """What identifies a client. A key that is no integer is hashed: `hashtextextended(key::text,
    0)`, a bigint that is the same for the same text on every server (PostgreSQL docs, hash
    functions for partitioning are kept stable), and may be negative."""

    column: Column
    hashed: bool

    def of(self, reference: str) -> str:
        """The client's id as a bigint, of the key or of a column that holds it."""
        return self.compared(reference) if self.hashed else f"{reference}::bigint"

    def compared(self, reference: str) -> str:
        """The same to be compared: an integer without a cast, so that an index serves."""
        return f"hashtextextended({reference}::text, 0)" if self.hashed else reference


@dataclass(frozen=True, slots=True)
class Child:
    """A relation with any number of rows of a client; `client` is its column with the key.

    `where`: conditions that a row must keep. `order`: SQL of the rule that chooses one row, best
    first. `values`: by their names in clients.sql. `updated`: the column that every change sets.
    """

    relation: Relation
    client: Column
    values: dict[str, Value] = field(default_factory=dict)
    where: tuple[Value, ...] = ()
    order: tuple[Value, ...] = ()
    updated: Column | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition under which a client isn't sent: deleted there, or without consent.

    `told`: what a person reads about it. `reason` becomes the value of `exclusion`; "" = the client
    is left out, as if B2CORE didn't have it. The condition is that any of `values` of the client
    is true, or, with `child`, of the chosen row of that; or there is no such row and `without` is
    true.
    """

    told: str
    reason: str
    values: tuple[Value, ...]
    child: Child | None = None
    without: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """How contacts are made of a database's tables.

    `values`: of the client's row, by their names in clients.sql. `phones` of the client's row, in
    the order in which they are tried after those of `phone_rows`. `country_rows`: addresses with a
    country, for phones of clients whose chosen address has none. `more`: columns that the contract
    doesn't ask for, for custom fields of SendGrid. `doubts`: what the tables don't say, in
    sentences.
    """

    clients: Relation
    key: Key
    values: dict[str, Value]
    phone_rows: Child | None = None
    phones: tuple[Value, ...] = ()
    address_rows: Child | None = None
    country_rows: Child | None = None
    rules: tuple[Rule, ...] = ()
    updated: Column | None = None
    more: dict[str, Value] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    @property
    def children(self) -> list[Child]:
        """All relations with rows of clients."""
        found = [
            self.phone_rows,
            self.address_rows,
            self.country_rows,
            *(rule.child for rule in self.rules),
        ]
        return [child for child in found if child is not None]

    @property
    def own(self) -> list[Value]:
        """All values of the clients' rows, or of rows that those lead to."""
        rules = [value for rule in self.rules if rule.child is None for value in rule.values]
        return [*self.values.values(), *self.phones, *self.more.values(), *rules]

    def of_child(self, child: Child) -> list[Value]:
        """All values of a child's rows."""
        rules = [value for rule in self.rules if rule.child is child for value in rule.values]
        return [*child.values.values(), *child.where, *child.order, *rules]

    @property
    def relations(self) -> list[Relation]:
        """All relations that the statements read, the clients' first."""
        found = {str(self.clients): self.clients}
        for value in self.own:
            found |= {str(hop.relation): hop.relation for hop in value.hops}
        for child in self.children:
            found[str(child.relation)] = child.relation
            for value in self.of_child(child):
                found |= {str(hop.relation): hop.relation for hop in value.hops}
        return list(found.values())

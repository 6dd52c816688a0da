"""Who isn't sent: columns and tables that say deleted, or without consent. Pure.

Nothing is decided here: each rule that is found is asked about, and proposed.
"""

from __future__ import annotations

from collections.abc import Iterator

from contact_sync.b2core.setup import shapes
from contact_sync.b2core.setup import spellings as names
from contact_sync.b2core.setup.finding import moment, named, text_value
from contact_sync.b2core.setup.parts import REF, Child, Rule, Value
from contact_sync.b2core.setup.tables import (
    INTEGERS,
    TIMES,
    Catalog,
    Column,
    Relation,
    text_literal,
)

NO_CONSENT = "no consent"
MARKS = (*TIMES, "date")


def deleted_rules(catalog: Catalog, clients: Relation) -> Iterator[Rule]:
    """Columns that mark a client as deleted, and words of its status that say so."""
    for column in clients.columns:
        if form := _deleted(column):
            yield Rule(f"clients whose {column.name} says deleted", "", (Value(column, (), form),))
    status = text_value(catalog, ((), clients), "status")
    if status and (words := shapes.deleted_words(status.column)):
        form = f"lower({REF}::text) IN ({_list(words)})"
        said = f"clients whose status is {', '.join(words)}"
        yield Rule(said, "", (Value(status.column, status.hops, form),))


def undeleted(relation: Relation) -> tuple[Value, ...]:
    """Conditions that leave out a relation's rows that are marked as deleted."""
    found = []
    for column in relation.columns:
        if form := _deleted(column):
            found.append(Value(column, (), f"({form}) IS NOT TRUE"))
    return tuple(found)


def consent_rules(
    catalog: Catalog, clients: Relation, children: dict[str, Column]
) -> Iterator[Rule]:
    """Columns and tables that say whether a client may get mail; `children`: name of a relation →
    its column with the client's key."""
    for column in clients.columns:
        if _called(names.NO_CONSENT, column):
            form = _mark(column) or _words(column, yes=False)
        elif _called(names.CONSENT, column):
            form = _unmarked(column) or _words(column, yes=True)
        else:
            continue
        if form:
            said = f"clients whose {column.name} says no consent"
            yield Rule(said, NO_CONSENT, (Value(column, (), form),))
    for relation in catalog.relations:
        client = children.get(str(relation))
        if client and names.CONSENT_TABLES.search(names.snaked(relation.name)):
            rule = _consent_table(relation, client)
            if rule:
                yield rule


def unused_marks(catalog: Catalog, clients: Relation, rules: list[Rule]) -> Iterator[str]:
    """What looks like consents or deletions and no rule uses: a person has to look at it."""
    used = {str(rule.child.relation) for rule in rules if rule.child}
    columns = {value.column.name for rule in rules if not rule.child for value in rule.values}
    for column in clients.columns:
        called = _called(names.NO_CONSENT, column) or _called(names.CONSENT, column)
        kind = "a consent" if called else "a deletion" * _called(names.DELETED, column)
        if kind and column.name not in columns:
            yield (
                f"{clients}.{column.name} looks like {kind}, and what it says isn't known: it "
                f"excludes nobody. Write it into clients.sql and scan.sql if it should"
            )
    for relation in catalog.relations:
        called = bool(names.CONSENT_TABLES.search(names.snaked(relation.name)))
        if called and relation is not clients and str(relation) not in used:
            yield (
                f"{relation} looks like consents, and isn't used, because it has no column with "
                f"the clients' key, or none that says yes or no. Write it into clients.sql and "
                f"scan.sql if it excludes clients"
            )


def _consent_table(relation: Relation, client: Column) -> Rule | None:
    against = bool(names.NO_CONSENT_TABLES.search(names.snaked(relation.name)))
    listed = (Value(client, (), f"{REF} IS NOT NULL"),)
    refused = listed if against else _refusals(relation)
    if not refused:
        return None
    conditions = list(undeleted(relation)) if _revoked(relation) is None else []
    for kind in named(relation, names.KINDS):
        words = shapes.matching(kind, names.MARKETING) if kind.is_text else []
        words = [word for word in words if not names.OTHER_CHANNELS.search(word)]
        if words:
            conditions.append(Value(kind, (), f"lower({REF}::text) IN ({_list(words)})"))
            break
    updated = moment(relation, "updated")
    made = next((c for c in named(relation, names.MADE) if c.type in TIMES), None)
    ids = [c for c in named(relation, ("id",)) if c.type in INTEGERS]
    order = [Value(c, (), f"{REF} DESC NULLS LAST") for c in (updated, made, *ids) if c]
    rows = Child(relation, client, {}, tuple(conditions), tuple(order), updated or made)
    said = f"clients that {relation} lists" if against else f"clients without consent in {relation}"
    return Rule(said, NO_CONSENT, refused, rows, without=not against)


def _refusals(relation: Relation) -> tuple[Value, ...]:
    """What a row of consents looks like that says no: any of these is true."""
    found = []
    for column in named(relation, names.GRANTED):
        form = _unmarked(column) or _words(column, yes=True)
        if form:
            found.append(Value(column, (), form))
            break
    revoked = _revoked(relation)
    if revoked:
        found.append(Value(revoked, (), _mark(revoked) or "false"))
    made = next((c for c in named(relation, names.MADE) if c.type in TIMES), None)
    return tuple(found) or ((Value(made, (), f"{REF} IS NULL"),) if made else ())


def _revoked(relation: Relation) -> Column | None:
    return next((c for c in named(relation, names.REVOKED) if _mark(c)), None)


def _deleted(column: Column) -> str | None:
    """SQL that is true when a column says that its row is deleted; None if it isn't such a one, or
    what it says isn't known."""
    if not _called(names.DELETED, column):
        return None
    return _mark(column) or _words(column, yes=False)


def _called(pattern: object, column: Column) -> bool:
    return any(pattern.fullmatch(each) for each in names.variants(column.name))  # type: ignore[attr-defined]


def _mark(column: Column) -> str | None:
    """SQL that is true when a column is set: a time that isn't empty, a true, a number but 0."""
    if column.type in MARKS:
        return f"{REF} IS NOT NULL"
    if column.type == "boolean":
        return f"{REF} IS TRUE"
    if column.type in INTEGERS:
        return f"{REF} <> 0"
    return None


def _unmarked(column: Column) -> str | None:
    """SQL that is true when it isn't."""
    if column.type in MARKS:
        return f"{REF} IS NULL"
    if column.type == "boolean":
        return f"{REF} IS NOT TRUE"
    if column.type in INTEGERS and all(value in ("0", "1") for value in column.values):
        return f"coalesce({REF}, 0) = 0"
    return None


def _words(column: Column, *, yes: bool) -> str | None:
    """SQL that is true when a text says no consent, or deleted; `yes`: its yes is a consent."""
    words = shapes.yes_words(column) if column.is_text else []
    if not words:
        return None
    said = f"lower(btrim({REF}::text)) IN ({_list(words)})"
    return f"({said}) IS NOT TRUE" if yes else said


def _list(words: list[str]) -> str:
    return ", ".join(map(text_literal, words))

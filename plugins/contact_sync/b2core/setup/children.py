"""Tables of phones and of addresses, and the rule that chooses one row of a client. Pure."""

from __future__ import annotations

from contact_sync.b2core.setup import finding, shapes
from contact_sync.b2core.setup import spellings as names
from contact_sync.b2core.setup.addresses import PARTS as ADDRESS
from contact_sync.b2core.setup.countries import with_names
from contact_sync.b2core.setup.finding import named, text_value
from contact_sync.b2core.setup.parts import REF, Child, Value
from contact_sync.b2core.setup.rules import undeleted
from contact_sync.b2core.setup.tables import (
    INTEGERS,
    TIMES,
    Catalog,
    Column,
    Relation,
    text_literal,
)


def phone_rows(catalog: Catalog, children: dict[str, Column]) -> Child | None:
    """The table of phone numbers: the one that is called so, else one that holds them."""
    found = []
    for relation in catalog.relations:
        client = children.get(str(relation))
        if client is None or client.name in relation.unique:
            continue
        called = any(word in names.snaked(relation.name) for word in ("phone", "mobile", "tel"))
        column = _number(relation, called=called)
        if column:
            found.append(
                (not called, len(relation.columns), str(relation), relation, column, client)
            )
    if not found:
        return None
    *_, relation, column, client = min(found, key=lambda each: each[:3])
    where = list(undeleted(relation))
    kind = next((c for c in named(relation, names.KINDS) if c.is_text), None)
    if kind and _mixes(relation, column):
        words = [w for w in _words(kind) if names.PHONES.fullmatch(names.letters(w))]
        where += [Value(kind, (), f"lower({REF}::text) IN ({_list(words)})")] if words else []
    order = (*_first(relation), *_latest(relation))
    updated = finding.moment(relation, "updated")
    return Child(relation, client, {"phone": Value(column)}, tuple(where), order, updated)


def _number(relation: Relation, *, called: bool) -> Column | None:
    for column in relation.columns:
        if names.PHONES.fullmatch(names.letters(column.name)) and _may_be(column):
            return column
    if not called and "contact" not in names.snaked(relation.name):
        return None
    spelled = next(
        (c for c in named(relation, names.NUMBERS)
         if _may_be(c) or (_mixes(relation, c) and any(map(shapes.is_phone, c.values)))), None,
    )  # fmt: skip
    return spelled or next((c for c in relation.columns if called and shapes.are_phones(c)), None)


def _may_be(column: Column) -> bool:
    if column.is_text:
        return shapes.are_phones(column) or not column.values
    return column.type in ("bigint", "numeric")


def _mixes(relation: Relation, column: Column) -> bool:
    """Whether a column holds addresses of mail as well, told apart by another one."""
    return any("@" in value for value in column.values) and any(
        c.is_text for c in named(relation, names.KINDS)
    )


def address_rows(catalog: Catalog, children: dict[str, Column]) -> Child | None:
    """The table of addresses."""
    found = []
    for relation in catalog.relations:
        client = children.get(str(relation))
        if client is None or client.name in relation.unique:
            continue
        parts = {name: value for name in ADDRESS
                 if (value := text_value(catalog, ((), relation), name))}  # fmt: skip
        called = "address" in names.snaked(relation.name)
        if len(parts) >= 2 and ("city" in parts or "postal_code" in parts):
            found.append((not called, -len(parts), str(relation), relation, parts, client))
    if not found:
        return None
    *_, relation, parts, client = min(found, key=lambda each: each[:3])
    parts |= with_names(*finding.country_values(catalog, ((), relation)))
    where, by_kind = _kinds(catalog, relation)
    order = (*by_kind, *_first(relation), *_latest(relation))
    updated = finding.moment(relation, "updated")
    return Child(relation, client, parts, (*undeleted(relation), *where), order, updated)


def country_rows(addresses: Child) -> Child | None:
    """Of all addresses but birth places the one updated last that has a country's code."""
    code = addresses.values.get("country_code")
    if code is None:
        return None
    given = Value(code.column, code.hops, f"{code.form} IS NOT NULL")
    kept = (*addresses.where, given)
    order = tuple(_latest(addresses.relation))
    values = {"country_code": code}
    return Child(addresses.relation, addresses.client, values, kept, order, addresses.updated)


def _kinds(catalog: Catalog, relation: Relation) -> tuple[tuple[Value, ...], tuple[Value, ...]]:
    """Of addresses: never the birth place, and the contract's order of the others."""
    kind = next((c for c in named(relation, names.KINDS[:9]) if c.is_text), None)
    found = Value(kind) if kind else finding.lookup(
        catalog, relation, names.KINDS[:9], names.CAPTIONS
    )  # fmt: skip
    if found is None:
        return (), ()
    places: dict[str, int] = {}
    for word in _words(found.column):
        for place, pattern in names.ADDRESS_KINDS:
            if pattern.search(word):
                places.setdefault(word, place)
    never = [word for word, place in places.items() if place == 0]
    where: tuple[Value, ...] = ()
    if never:
        form = f"(lower({REF}::text) IN ({_list(never)})) IS NOT TRUE"
        where = (Value(found.column, found.hops, form),)
    cases = " ".join(
        f"WHEN {text_literal(word)} THEN {place}"
        for word, place in sorted(places.items(), key=lambda each: each[1]) if place
    )  # fmt: skip
    if not cases:
        return where, ()
    form = f"CASE lower({REF}::text) {cases} ELSE {names.LAST_KIND} END ASC"
    return where, (Value(found.column, found.hops, form),)


def _words(column: Column) -> list[str]:
    return sorted(column.words)


def _first(relation: Relation) -> list[Value]:
    """Confirmed rows first, then preferred ones."""
    found = []
    for spelled in (names.CONFIRMED, names.PREFERRED):
        for column in named(relation, spelled):
            if column.type == "boolean":
                found.append(Value(column, (), f"({REF} IS TRUE) DESC"))
            elif column.type in TIMES:
                found.append(Value(column, (), f"({REF} IS NOT NULL) DESC"))
            elif column.type in INTEGERS:
                found.append(Value(column, (), f"(coalesce({REF}, 0) <> 0) DESC"))
            else:
                continue
            break
    return found


def _latest(relation: Relation) -> list[Value]:
    updated, made = finding.moment(relation, "updated"), finding.moment(relation, "registered_on")
    found = [Value(c, (), f"{REF} DESC NULLS LAST") for c in (updated or made,) if c]
    key = relation.get(relation.primary_key[0]) if len(relation.primary_key) == 1 else None
    key = key or next(named(relation, ("id", "uuid")), None)
    return [*found, *([Value(key, (), f"{REF} DESC")] if key else [])]


def _list(words: list[str]) -> str:
    return ", ".join(map(text_literal, words))

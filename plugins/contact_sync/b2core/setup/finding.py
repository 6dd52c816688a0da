"""Find columns by what they are called, hold and refer to. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from contact_sync.b2core.setup import shapes
from contact_sync.b2core.setup.parts import Hop, Value
from contact_sync.b2core.setup.spellings import (
    CAPTIONS,
    CODES,
    COLUMNS,
    letters,
    singular,
    snaked,
    variants,
)
from contact_sync.b2core.setup.tables import (
    INTEGERS,
    TIMES,
    Catalog,
    Column,
    ForeignKey,
    Relation,
)

Place = tuple[tuple[Hop, ...], Relation]
"""A relation, and how a row of the first one leads to at most one row of it."""
_KEY_ENDINGS = re.compile(r"(?:_|(?<=[a-z]))(?:id|uuid|guid|fk|code|ref|key)$", re.IGNORECASE)
MOST_LOOKUP_ROWS = 100_000


def named(relation: Relation, names: Iterable[str]) -> Iterator[Column]:
    """The columns that are called so, in the order of the names."""
    by_name: dict[str, list[Column]] = {}
    for column in relation.columns:
        for variant in variants(column.name):
            by_name.setdefault(variant, []).append(column)
    for name in names:
        yield from by_name.get(name, ())


def references(catalog: Catalog, relation: Relation) -> dict[str, ForeignKey]:
    """Column → what it refers to: declared, else implied by names as `status_id` and a relation
    `statuses` with a column `id`; views have no declared ones."""
    found = {key.column: key for key in reversed(relation.foreign_keys)
             if catalog.get(key.schema, key.name)}  # fmt: skip
    for column in relation.columns:
        if column.name in found or not _KEY_ENDINGS.search(column.name):
            continue
        stem = snaked(_KEY_ENDINGS.sub("", column.name))
        ending = letters(column.name)[len(letters(stem)) :]
        for target in _called(catalog, relation, stem):
            key = next(named(target, (ending, letters(column.name), "id")), None)
            if key and key.family == column.family:
                found[column.name] = ForeignKey(column.name, target.schema, target.name, key.name)
                break
    return found


def _called(catalog: Catalog, relation: Relation, stem: str) -> list[Relation]:
    """Relations whose rows are called so, `client_statuses` for `status` too; the nearest first."""
    own = singular(relation.name)
    ranked = []
    for other in catalog.relations:
        name = singular(other.name)
        if other is relation or not (name == stem or name.endswith(f"_{stem}")):
            continue
        rank = (name != f"{own}_{stem}", name != stem, other.schema != relation.schema, len(name))
        ranked.append((rank, str(other), other))
    return [other for _, _, other in sorted(ranked, key=lambda each: each[:2])]


def lookup(
    catalog: Catalog, relation: Relation, names: Iterable[str], captions: tuple[str, ...]
) -> Value | None:
    """A value of the row that a column refers to: of `status_id`, the name of the status."""
    keys = references(catalog, relation)
    stems = {column: variants(_KEY_ENDINGS.sub("", column)) for column in keys}
    for name in names:
        for column, key in keys.items():
            if name not in stems[column] and name not in variants(column):
                continue
            target = catalog.get(key.schema, key.name)
            if target is None or target.rows > MOST_LOOKUP_ROWS:
                continue
            caption = next((c for c in named(target, captions)
                            if c.is_text and (c.name != key.target or len(target.columns) == 1)),
                           None)  # fmt: skip
            if caption:
                return Value(caption, (Hop(column, target, key.target),))
    return None


def begun(spelled: tuple[str, ...], kind: str) -> tuple[str, ...]:
    """The spellings with what kind of address they are of: `homecity`, `homeaddresscity`."""
    if not kind:
        return (*spelled, *(f"address{each}" for each in spelled))
    return tuple(f"{kind}{middle}{each}" for each in spelled for middle in ("", "address", "addr"))


def text_value(catalog: Catalog, place: Place, name: str, kind: str = "") -> Value | None:
    """What the contract calls `name`, of a row of the place: a lookup's caption or a column.
    `kind`: of an address's part, what its name begins with."""
    hops, relation = place
    spelled = begun(COLUMNS[name], kind)
    found = lookup(catalog, relation, spelled, CAPTIONS)
    if found is not None:
        return Value(found.column, (*hops, *found.hops))
    keys = references(catalog, relation)
    for column in named(relation, spelled):
        plain = column.is_text or (name == "verification_level" and column.type in INTEGERS)
        if plain and column.name not in keys and _fits(name, column):
            return Value(column, hops)
    return None


def _fits(name: str, column: Column) -> bool:
    """Whether what a column holds may be meant: `state` is a place or a status."""
    if column.name.lower() in ("state", "region") and name in ("state", "status"):
        status = column.kind == "e" or any(
            value.strip().lower() in (*shapes.YES, *shapes.NO, *shapes.DELETED, "new", "banned")
            for value in column.values
        )
        return status == (name == "status")
    if name == "country":
        return not shapes.country_codes(column)
    return True


def country_values(catalog: Catalog, place: Place, kind: str = "") -> tuple[dict[str, Value], int]:
    """country and country_code of a row, as far as it has them; and of what length the codes are
    when only codes are there, 0 = a name is there. `kind`: as for `text_value`."""
    hops, relation = place
    found: dict[str, Value] = {}
    length = 0
    codes = begun(COLUMNS["country_code"], kind)
    name = lookup(catalog, relation, (*begun(COLUMNS["country"], kind), *codes), CAPTIONS)
    if name is not None:
        hop = name.hops[0]
        found["country"] = Value(name.column, (*hops, hop))
        code = next((c for c in named(hop.relation, CODES) if shapes.country_codes(c)), None)
        if code:
            found["country_code"] = Value(code, (*hops, hop))
        return found, 0
    keys = references(catalog, relation)
    for column in named(relation, codes):
        if column.name not in keys and (length := shapes.country_codes(column)):
            found["country_code"] = Value(column, hops)
            break
    text = text_value(catalog, place, "country", kind)
    if text is not None:
        return found | {"country": text}, 0
    return found, length


def moment(relation: Relation, name: str) -> Column | None:
    """The column with the time that the contract calls `name`."""
    kinds = (*TIMES, "date") if name == "registered_on" else TIMES
    return next((c for c in named(relation, COLUMNS[name]) if c.type in kinds), None)

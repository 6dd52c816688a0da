"""Phone numbers in columns of the client's row: one or several, in arrays, in JSON. Pure."""

from __future__ import annotations

import re

from contact_sync.b2core.setup import shapes
from contact_sync.b2core.setup import spellings as names
from contact_sync.b2core.setup.finding import Place
from contact_sync.b2core.setup.parts import REF, Value
from contact_sync.b2core.setup.tables import INTEGERS, Column, text_literal

_LIKE = "'^[+]?[(]?[0-9][-0-9 ()./]{4,}$'"
"""A regular expression of PostgreSQL's for what may be a number."""
_YES = "('true', 't', '1', 'yes')"


def phones_of_row(places: list[Place]) -> tuple[Value, ...]:
    """The columns with phone numbers, in the order in which they are tried."""
    found: list[tuple[tuple[int, int, str], Value]] = []
    for distance, (hops, relation) in enumerate(places):
        for position, column in enumerate(relation.columns):
            form = phone_form(column) if any(
                names.PHONES.fullmatch(each) for each in names.variants(column.name)
            ) else None  # fmt: skip
            if form:
                rank = (distance, _rank(column, position), column.name)
                found.append((rank, Value(column, hops, form)))
    return tuple(value for _, value in sorted(found, key=lambda each: each[0]))


def phone_form(column: Column) -> str | None:
    """SQL of the number in a column of this type; None = it can't hold one."""
    if column.is_json:
        keys = shapes.json_phone_keys(column)
        return _of_json(*(keys or ())) if keys or not column.values else None
    if column.category == "A":
        return (
            f"(SELECT n.number::text FROM unnest({REF}) WITH ORDINALITY AS n (number, place) "
            f"WHERE n.number::text ~ {_LIKE} ORDER BY n.place LIMIT 1)"
        )
    if column.is_text and column.values and _is_written_json(column):
        # Not read as JSON: a single value that is none would end every run.
        return f"substring({REF}::text FROM '[+]?[0-9][-0-9 ()./]{{4,}}[0-9]')"
    if column.is_text:
        return None if shapes.are_words(column) else f"{REF}::text"
    return f"{REF}::text" if column.type in (*INTEGERS, "numeric") else None


def _of_json(number: str = "", preferred: str = "", confirmed: str = "") -> str:
    """The first confirmed or preferred number of objects, or the first text that is a number."""
    if not number:
        return (
            f"(SELECT n.number #>> '{{}}' FROM jsonb_path_query({REF}::jsonb, 'strict $.**') "
            f"WITH ORDINALITY AS n (number, place) WHERE jsonb_typeof(n.number) IN ('string', "
            f"'number') AND n.number #>> '{{}}' ~ {_LIKE} ORDER BY n.place LIMIT 1)"
        )
    order = "".join(
        f"(lower(n.part ->> {text_literal(key)}) IN {_YES}) IS TRUE DESC, "
        for key in (confirmed, preferred) if key
    )  # fmt: skip
    return (
        f"(SELECT n.part ->> {text_literal(number)} "
        f"FROM jsonb_path_query({REF}::jsonb, 'lax $[*]') WITH ORDINALITY AS n (part, place) "
        f"WHERE n.part ->> {text_literal(number)} <> '' "
        f"ORDER BY {order}n.place LIMIT 1)"
    )


def _is_written_json(column: Column) -> bool:
    starts = [value.lstrip()[:1] in ("[", "{") for value in column.values]
    return sum(starts) >= shapes.MOST * len(starts)


def _rank(column: Column, position: int) -> int:
    """Where a column stands: the numbered ones in their order, work and others last."""
    name = names.letters(column.name)
    later = 1_000 if names.LATER_PHONES.search(name) else 0
    digits = re.search(r"[0-9]+$", name)
    if digits:
        return later + 100 + int(digits[0])
    return later + (0 if name.startswith("phone") else position + 1)


def combined(numbers: list[str]) -> str:
    """SQL of the first that has five digits, else of the first that isn't empty: a bad one is
    reported, not passed over."""
    if len(numbers) == 1:
        return numbers[0]
    good = [
        f"CASE WHEN length(regexp_replace({each}, '[^0-9]', '', 'g')) >= 5 THEN {each} END"
        for each in numbers
    ]
    listed = [*good, *(f"nullif(btrim({each}), '')" for each in numbers)]
    return "coalesce(\n        " + ",\n        ".join(listed) + "\n    )"

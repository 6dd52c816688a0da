"""B: columns of every type of PostgreSQL's on their way to SendGrid, or refused in its words."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from contact_sync.base.errors import ConfigError
from contact_sync.lookup.explain import explain_client
from contact_sync.reporting.explanation import FieldValue
from contact_sync.reporting.explanation_text import text
from contact_sync.web.client_view import client_view
from tests.support.wild import columns
from tests.support.world import World

LANES = pytest.mark.parametrize("lane", ["json", "csv"])
Values = Sequence[tuple[str, Any]]


@pytest.fixture
def give(world: World, tmp_path: Path) -> Callable[..., None]:
    """A function that adds a column `worth` to clients.sql: client n has the nth expression."""
    world.sql_folder = shutil.copytree(world.sql_folder, tmp_path / "b2core")
    path = world.sql_folder / "clients.sql"
    text, end = path.read_text(), "    NULL::text AS exclusion"

    def add(*expressions: str, field: str, field_type: str) -> None:
        cases = " ".join(f"WHEN {n} THEN {sql}" for n, sql in enumerate(expressions, start=1))
        column = f"CASE clients.id {cases} END AS worth,"
        path.write_text(text.replace(end, f"    {column}\n{end}"))
        world.emulator.admin.create_field(field, field_type)
        fields = world.definition.model_dump(mode="json")["fields"]
        world.redefine(fields=fields | {field: "worth"})

    return add


def held(world: World, field: str, values: Values) -> list[Any]:
    """Run once; what SendGrid has of each client's value."""
    for number in range(len(values)):
        world.add(f"c{number}@example.com")
    report = world.run()
    assert report["books"]["confirmed"] == len(values)
    contacts = world.contacts()
    found = (contacts[f"c{n}@example.com"]["custom_fields"] for n in range(len(values)))
    return [fields.get(field) for fields in found]


def looked_up(world: World, client: int, field: str) -> FieldValue:
    """The field as the look-up shows it, on the command line and on the client's page."""
    with world.sync() as sync:
        found = explain_client(sync, client, live=sync.sendgrid)
    assert text(found)
    page = client_view(found, may_see=True)
    assert page.conclusion
    assert client_view(found, may_see=False).e.fields
    (shown,) = (one for one in found.fields if one.name == field)
    assert shown.differs is False
    return shown


def as_double(value: float | None) -> float | None:
    """SendGrid's numbers are doubles."""
    return None if value is None else float(value)


@LANES
@pytest.mark.parametrize("kind", ["NUMERIC", "FLOAT"])
def test_B12_numbers_of_typed_columns_arrive_as_they_are(
    world: World, give: Callable[..., None], lane: str, kind: str
) -> None:
    """To two decimals; what is no amount of anything gives no value."""
    values: Values = getattr(columns, kind)
    world.redefine(lane=lane)
    give(*(sql for sql, _ in values), field="Worth", field_type="Number")
    found = held(world, "Worth", values)
    assert [as_double(value) for value in found] == [as_double(value) for _, value in values]
    assert world.run("full")["counts"]["sent"] == 0
    for client, (_, value) in enumerate(values, start=1):
        shown = looked_up(world, client, "Worth")
        assert shown.source
        assert (shown.value == "") == (value is None)
        if value is None:
            assert shown.problem == "left out: not a number"


@LANES
@pytest.mark.parametrize("kind", ["DATE", "STAMP", "LOCAL_STAMP"])
def test_B09_B10_days_of_typed_columns_arrive_as_they_are(
    world: World, give: Callable[..., None], lane: str, kind: str
) -> None:
    """In UTC; what has no day of four digits gives no value, and look-up and report go on."""
    values: Values = getattr(columns, kind)
    world.redefine(lane=lane)
    give(*(sql for sql, _ in values), field="Since", field_type="Date")
    days = [day and day[:10] for day in held(world, "Since", values)]
    assert days == [day for _, day in values]
    none = sum(day is None for day in days)
    assert world.report()["dropped"] == {"Since: not_a_date": none}
    for client, (_, day) in enumerate(values, start=1):
        found = looked_up(world, client, "Since")
        assert (found.value, found.problem) == ((day, "") if day else ("", "left out: not a date"))
        assert found.source


@LANES
def test_B09_a_day_in_a_text_field_is_a_day_or_none(
    world: World, give: Callable[..., None], lane: str
) -> None:
    """Never what a library writes for a day beyond its calendar."""
    world.redefine(lane=lane)
    give(*(sql for sql, _ in columns.DATE), field="Since", field_type="Text")
    assert held(world, "Since", columns.DATE) == [day for _, day in columns.DATE]


@pytest.mark.own_connections  # a connection knows the types that there were when it was opened
@LANES
def test_B09_other_types_that_fit_a_text_field(
    world: World, give: Callable[..., None], lane: str
) -> None:
    """Fixed width without its spaces, enums by their word, domains as what they are made of."""
    world.redefine(lane=lane)
    world.sql("DROP TYPE IF EXISTS mood; CREATE TYPE mood AS ENUM ('happy', 'so so')")
    values = [
        ("'ab'::char(5)", "ab"), ("'so so'::mood", "so so"), ("true", "true"),
        ("'x'::varchar(3)", "x"), ("7::smallint", "7"), ("'n'::name", "n"),
    ]  # fmt: skip
    for number, (sql, value) in enumerate(values):
        give(sql, field=f"F{number}", field_type="Text")
        world.sql("TRUNCATE b2core.clients CASCADE")
        world.add("c0@example.com", id=1)
        world.run()
        assert world.contact("c0@example.com")["custom_fields"][f"F{number}"] == value


REFUSED = [
    ("12.34::money", "Number", "is money in PostgreSQL", "worth::numeric AS worth"),
    ("interval '1 day'", "Number", "is interval in", "extract(epoch FROM worth) AS worth"),
    ("interval '1 day'", "Text", "is interval in", "worth::text AS worth"),
    ("gen_random_uuid()", "Text", "is uuid in", "worth::text AS worth"),
    ("'{}'::json", "Text", "is json in", "worth #>> '{}' AS worth"),
    ("'{}'::jsonb", "Text", "is jsonb in", "worth #>> '{}' AS worth"),
    ("'{a}'::text[]", "Text", "is text[] in", "array_to_string(worth, ', ') AS worth"),
    ("'{1}'::int[]", "Number", "is integer[] in", "array_to_string(worth, ', ') AS worth"),
    ("'a'::bytea", "Text", "is bytea in", "convert_from(worth, 'UTF8') AS worth"),
    ("now()", "Text", "is timestamptz in", "worth::text AS worth"),
    ("now()", "Number", "is timestamptz in", "extract(epoch FROM worth) AS worth"),
    ("1.5::float8", "Text", "is float8 in", "worth::text AS worth"),
    ("1.5::numeric", "Text", "is numeric in", "worth::text AS worth"),
    ("1.5::numeric", "Date", "is numeric in", "to_timestamp(worth) AS worth"),
    ("true", "Number", "is boolean in", "worth::integer AS worth"),
    ("'10:00'::time", "Text", "is time in", "worth::text AS worth"),
    ("'1.2.3.4'::inet", "Text", "is inet in", "worth::text AS worth"),
    ("5::oid", "Number", "is oid in", "worth::bigint AS worth"),
    ("'1.5'::json", "Number", "is json in", "(worth #>> '{}')::numeric AS worth"),
    ("'1.5'::jsonb", "Number", "is jsonb in", "(worth #>> '{}')::numeric AS worth"),
    ("'\"2024-01-02\"'::jsonb", "Date", "is jsonb in", "(worth #>> '{}')::date AS worth"),
    ("'\"2024-01-02\"'::json", "Date", "is json in", "(worth #>> '{}')::date AS worth"),
    ("B'101'", "Number", "is bit in", "worth::bigint AS worth"),
    ("1700000000::oid", "Date", "is oid in", "map another column, or a Text field and write"),
    ("12.34::money", "Date", "is money in", "map another column, or a Text field and write"),
    ("gen_random_uuid()", "Number", "is uuid in", "map another column, or a Text field and write"),
    ("'{1}'::int[]", "Date", "is integer[] in", "map another column, or a Text field and write"),
    ("'[1,2)'::int4range", "Text", "is the type with the oid 3904 in", "worth::text AS worth"),
]


@pytest.mark.parametrize(("sql", "field_type", "kind", "cast"), REFUSED)
def test_A22_a_type_that_fits_no_field_is_named_with_the_cast_to_write(
    world: World, give: Callable[..., None], sql: str, field_type: str, kind: str, cast: str
) -> None:
    """In PostgreSQL's words, before anything is sent; with the cast it works."""
    give(sql, field="Worth", field_type=field_type)
    world.add("ann@example.com")
    with pytest.raises(ConfigError) as raised:
        world.run()
    given = f"write {cast} in clients.sql" if "worth" in cast else cast
    for part in (kind, f"fit the {field_type} field 'Worth'", given):
        assert part in str(raised.value)
    assert world.writes() == []
    if "worth" not in cast:
        return
    path = world.sql_folder / "clients.sql"
    written = cast.removesuffix(" AS worth").replace("worth", f"({sql})")
    text, case = path.read_text(), f"CASE clients.id WHEN 1 THEN {sql} END"
    assert case in text
    path.write_text(text.replace(case, written))
    if "[]" not in kind or field_type == "Text":
        assert world.run()["books"]["confirmed"] == 1

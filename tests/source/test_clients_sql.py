"""The column contract, the phone rule and the choice of the address."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from local.b2core_demo.rows import add_address, add_client, add_phone
from tests.support import source_statements

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)

CONTRACT = [
    *(("client_id", "int8"), ("email", "text"), ("first_name", "text"), ("last_name", "text")),
    *(("phone", "text"), ("address_line_1", "text"), ("address_line_2", "text"), ("city", "text")),
    *(("state", "text"), ("postal_code", "text"), ("country", "text"), ("country_code", "text")),
    *(("status", "text"), ("client_type", "text"), ("verification_level", "text")),
    *(
        ("jurisdiction", "text"),
        ("registered_on", "date"),
        ("person_key", "text"),
        ("exclusion", "text"),
    ),
]


def columns(
    connection: psycopg.Connection, name: str, **parameters: object
) -> list[tuple[str, str]]:
    text = source_statements.literal(name, connection, **parameters)
    described = connection.execute(f"SELECT * FROM ({text}) AS statement LIMIT 0").description or []
    types = psycopg.adapters.types
    return [
        (column.name, getattr(types.get(column.type_code), "name", "?")) for column in described
    ]


def test_columns_are_the_contract(connection: psycopg.Connection) -> None:
    assert columns(connection, "clients", **source_statements.ALL) == CONTRACT
    assert columns(connection, "scan") == [
        ("client_id", "int8"),
        ("email", "text"),
        ("exclusion", "text"),
    ]
    assert columns(connection, "changed_xmin", horizon="3") == [("client_id", "int8")]
    assert columns(connection, "changed_updated_at", since=NOW) == [("client_id", "int8")]


def test_every_column_comes_from_its_place(connection: psycopg.Connection) -> None:
    client = add_client(
        connection,
        email=" Ann@Example.com",
        status_id=3,
        client_type_id=2,
        verification_level_id=4,
        jurisdiction_id=1,
        created_at=datetime(2026, 1, 1, 1, tzinfo=UTC),
    )
    add_phone(connection, client, "+44 1")
    add_address(
        connection,
        client,
        country_id=2,
        city="Köln",
        state="NW",
        postal_code="1",
        line1="a",
        line2="b",
    )
    assert source_statements.clients(connection) == [
        {
            "client_id": client,
            "email": " Ann@Example.com",
            "first_name": "Ann",
            "last_name": "Lee",
            "phone": "+44 1",
            "address_line_1": "a",
            "address_line_2": "b",
            "city": "Köln",
            "state": "NW",
            "postal_code": "1",
            "country": "Germany",
            "country_code": "DE",
            "status": "Banned",
            "client_type": "Corporate",
            "verification_level": "Advanced",
            "jurisdiction": "European Union",
            "registered_on": date(2026, 1, 1),
            "person_key": "2026-01-01 01:00:00+00",
            "exclusion": None,
        }
    ]


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
def test_the_day_of_registration_is_in_utc(connection: psycopg.Connection, zone: str) -> None:
    connection.execute("SELECT set_config('timezone', %s, false)", (zone,))
    add_client(connection, created_at=datetime(2026, 1, 1, 0, 30, tzinfo=UTC))
    add_client(connection, created_at=datetime(2026, 1, 1, 23, 30, tzinfo=UTC))
    assert {row["registered_on"] for row in source_statements.clients(connection)} == {
        date(2026, 1, 1)
    }


def test_a_client_with_nothing_else_is_not_lost(connection: psycopg.Connection) -> None:
    add_client(connection, email=None, first_name=None, last_name=None)
    (row,) = source_statements.clients(connection)
    assert row["email"] is row["phone"] is row["country"] is row["jurisdiction"] is None


PHONES = {
    "the only one": [("chosen", False, NOW)],
    "none": [],
    "confirmed beats newer": [("chosen", True, YESTERDAY), ("newer", False, NOW)],
    "newest of unconfirmed": [("old", False, YESTERDAY), ("chosen", False, NOW)],
    "newest of several confirmed": [("chosen", True, NOW), ("old", True, YESTERDAY)],
    "same time: the higher id": [("first", False, NOW), ("chosen", False, NOW)],
    "unknown time is oldest": [("chosen", False, YESTERDAY), ("unknown", False, None)],
    "all times unknown: the higher id": [("first", False, None), ("chosen", False, None)],
    "confirmed without a time still wins": [("chosen", True, None), ("newer", False, NOW)],
    "unknown confirmation is unconfirmed": [("unknown", None, NOW), ("chosen", True, YESTERDAY)],
    "unknown equals unconfirmed": [("chosen", None, NOW), ("older", False, YESTERDAY)],
}


@pytest.mark.parametrize("phones", PHONES.values(), ids=PHONES.keys())
def test_phone_rule(
    connection: psycopg.Connection, phones: list[tuple[str, bool | None, datetime | None]]
) -> None:
    client = add_client(connection)
    other = add_client(connection)
    for phone, confirmed, updated_at in phones:
        add_phone(connection, client, phone, confirmed=confirmed, updated_at=updated_at)
    add_phone(connection, other, "somebody else's", confirmed=True)
    first, second = source_statements.clients(connection)
    assert first["phone"] == ("chosen" if phones else None)
    assert second["phone"] == "somebody else's"


ADDRESSES = {
    "residential first": [
        ("residential", "chosen"),
        ("mailing", "m"),
        ("legal", "l"),
        ("billing", "b"),
    ],
    "mailing second": [("billing", "b"), ("legal", "l"), ("mailing", "chosen")],
    "legal third": [("billing", "b"), ("birth_place", "p"), ("legal", "chosen")],
    "billing last": [("birth_place", "p"), ("billing", "chosen")],
    "never birth place": [("birth_place", "p")],
    "none": [],
}


@pytest.mark.parametrize("addresses", ADDRESSES.values(), ids=ADDRESSES.keys())
def test_address_precedence(
    connection: psycopg.Connection, addresses: list[tuple[str, str]]
) -> None:
    client = add_client(connection)
    for number, (kind, city) in enumerate(addresses):
        add_address(
            connection, client, type=kind, city=city, updated_at=NOW + timedelta(days=number)
        )
    (row,) = source_statements.clients(connection)
    assert row["city"] == ("chosen" if any(city == "chosen" for _, city in addresses) else None)


def test_newest_of_one_type_and_nothing_mixed_in(connection: psycopg.Connection) -> None:
    client = add_client(connection)
    add_address(connection, client, city="old", line2="old", updated_at=YESTERDAY)
    add_address(connection, client, city="unknown", line2="unknown", updated_at=None)
    add_address(connection, client, city="first", line2="first", updated_at=NOW)
    add_address(connection, client, city="chosen", updated_at=NOW)
    add_address(connection, client, type="mailing", line2="mailing", country_id=1)
    (row,) = source_statements.clients(connection)
    assert (row["city"], row["address_line_2"], row["country"]) == ("chosen", None, None)


def test_bounds_are_inclusive_and_ids_narrow_them(connection: psycopg.Connection) -> None:
    for number in range(1, 8):
        add_phone(connection, add_client(connection, id=number), f"+{number}")

    def found(**parameters: object) -> list[tuple[int, str]]:
        rows = source_statements.clients(connection, **parameters)
        return [(row["client_id"], row["phone"]) for row in rows]

    assert found(first_id=2, last_id=4) == [(2, "+2"), (3, "+3"), (4, "+4")]
    assert found(ids=[6, 1, 99]) == [(1, "+1"), (6, "+6")]
    assert found(first_id=2, last_id=6, ids=[6, 1]) == [(6, "+6")]
    assert found(ids=[]) == []

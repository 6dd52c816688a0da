"""explain.sql tells the truth about clients.sql: the same winner, and the reason of each place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from local.b2core_demo.rows import add_address, add_client, add_phone
from tests.support import source_statements

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)
ADDRESS = ("address_line_1", "address_line_2", "city", "state", "postal_code", "country")


def explained(connection: psycopg.Connection, client: int) -> list[dict[str, Any]]:
    """The rows of explain.sql for one client."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(source_statements.literal("explain", connection, client_id=client))
        return cursor.fetchall()


def test_its_winners_are_those_of_clients_sql(connection: psycopg.Connection) -> None:
    """For 300 clients with every combination of flags, types, times and ties, some of them NULL."""
    connection.execute(
        """INSERT INTO b2core.clients (id, email) SELECT n, n || '@example.com'
           FROM generate_series(1, 300) AS n"""
    )
    connection.execute("SELECT setseed(0.5)")
    connection.execute(
        """INSERT INTO b2core.client_phones (client_id, phone, confirmed, updated_at)
           SELECT 1 + floor(random() * 300), nullif(n % 50, 0)::text,
               (ARRAY[TRUE, FALSE, NULL])[1 + floor(random() * 3)],
               (ARRAY['2026-01-01', '2026-02-01', NULL]::timestamptz[])[1 + floor(random() * 3)]
           FROM generate_series(1, 900) AS n"""
    )
    connection.execute(
        """INSERT INTO b2core.client_addresses
               (client_id, type, country_id, city, line1, line2, state, postal_code, updated_at)
           SELECT 1 + floor(random() * 300),
               (ARRAY['residential', 'billing', 'mailing', 'birth_place', 'legal'])
                   [1 + floor(random() * 5)],
               (ARRAY[1, 2, NULL])[1 + floor(random() * 3)], 'city ' || n, 'l ' || n, 'm ' || n,
               nullif('s ' || n % 9, 's 0'), 'p ' || n,
               (ARRAY['2026-01-01', '2026-02-01', NULL]::timestamptz[])[1 + floor(random() * 3)]
           FROM generate_series(1, 1500) AS n"""
    )
    chosen = 0
    for row in source_statements.clients(connection):
        rows = explained(connection, row["client_id"])
        winners = {r["part"]: r for r in rows if r["place"] == 1}
        phone, address = winners.get("phone", {}), winners.get("address", {})
        assert row["phone"] == phone.get("phone")
        assert {k: row[k] for k in ADDRESS} == {k: address.get(k) for k in ADDRESS}
        assert all(r["reason"] for r in rows)
        chosen += len(winners)
    assert chosen > 400


PHONES = {
    "the only one": ([(True, NOW)], ["the only one"]),
    "confirmed": (
        [(False, NOW), (True, YESTERDAY)],
        ["a confirmed number comes first", "not confirmed, the chosen one is"],
    ),
    "newest": (
        [(None, YESTERDAY), (False, NOW), (False, None)],
        ["updated most recently", "updated earlier than the chosen one",
         "no time of its last update"],
    ),
    "the higher id": (
        [(True, None), (True, None)],
        ["the higher id; all else is equal", "a lower id than the chosen one; all else is equal"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "reasons"), PHONES.values(), ids=PHONES.keys())
def test_why_a_phone_is_chosen(
    connection: psycopg.Connection,
    rows: list[tuple[bool | None, datetime | None]],
    reasons: list[str],
) -> None:
    client = add_client(connection)
    for confirmed, updated_at in rows:
        add_phone(connection, client, "+44 1", confirmed=confirmed, updated_at=updated_at)
    assert [row["reason"] for row in explained(connection, client)] == reasons


def test_why_an_address_is_chosen(
    connection: psycopg.Connection, reader: psycopg.Connection
) -> None:
    """In the rule's order, with the one that is never used last; the sync's role can read it."""
    client = add_client(connection)
    for kind, day in (("billing", 0), ("birth_place", 9), ("mailing", 2), ("mailing", 1)):
        add_address(connection, client, type=kind, updated_at=NOW + timedelta(days=day))
    assert [(r["place"], r["label"], r["reason"]) for r in explained(reader, client)] == [
        (1, "mailing", "of its type updated most recently"),
        (2, "mailing", "updated earlier than the chosen one"),
        (3, "billing", "the chosen one's type comes first"),
        (None, "birth_place", "an address of this type is never used"),
    ]
    connection.execute("DELETE FROM b2core.client_addresses WHERE type = 'mailing'")
    assert [r["reason"] for r in explained(connection, client)] == [
        "the only one of a type that is used", "an address of this type is never used",
    ]  # fmt: skip

"""What is found in tables of other shapes: each a small schema, read and asked as a sync would."""

from __future__ import annotations

import pytest

from contact_sync.b2core.setup.catalog import read_catalog
from contact_sync.b2core.setup.proposal import candidates, priority, propose
from contact_sync.b2core.setup.write_all import statements
from contact_sync.base.errors import ConfigError
from tests.support.foreign_tables import CLIENTS, Source, proposed, rows


@pytest.mark.parametrize(
    ("columns", "values", "number"),
    [
        ("phone text", "'+41790000001'", "+41790000001"),
        ("mobile bigint", "41790000001", "41790000001"),
        ("phone1 text, phone2 text", "NULL, '+41790000002'", "+41790000002"),
        ("phone1 text, phone2 text", "'-', '+41790000002'", "+41790000002"),
        ("phone1 text, phone2 text", "'-', NULL", "-"),
        ("work_phone text, mobile text", "'+41440000001', '+41790000001'", "+41790000001"),
        ("phones text[]", "ARRAY['n/a', '+41790000001']", "+41790000001"),
        ("phones jsonb", """'["+41790000001", "+41790000002"]'""", "+41790000001"),
        ("phones json", """'{"home": "", "mobile": "+41790000002"}'""", "+41790000002"),
        ("phones jsonb", """'[{"number": "+41790000001"},
            {"number": "+41790000002", "verified": true}]'""", "+41790000002"),
        ("phones text", """'[{"number": "+41790000001"}]'""", "+41790000001"),
        ("phones jsonb", "'[]'", None),
        ("phones jsonb", "NULL", None),
    ],
)  # fmt: skip
def test_a_phone_in_the_clients_row_is_found(
    tables: Source, own_database: str, columns: str, values: str, number: str | None
) -> None:
    """In one column, in several, in an array, in JSON of any form."""
    found = proposed(
        tables, own_database,
        f"{CLIENTS}, {columns}); INSERT INTO t.clients VALUES (1, 'a@example.com', 'A', 'B', "
        f"{values})",
    )  # fmt: skip
    (row,) = rows(tables, found)
    assert row["phone"] == number


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uuid", "'00000000-0000-4000-8000-000000000001'"),
        ("text", "'C 1'"),
        ("varchar(20)", "'C-1'"),
        ("numeric(20)", "18446744073709551615"),
    ],
)
def test_a_key_that_is_no_integer_is_hashed(
    tables: Source, own_database: str, kind: str, value: str
) -> None:
    """By one expression, everywhere the same."""
    found = proposed(
        tables,
        own_database,
        f"CREATE TABLE t.customers (ref {kind} PRIMARY KEY, email text, full_name text);"
        f"CREATE TABLE t.customer_phones (customer_ref {kind} REFERENCES t.customers (ref), "
        f"phone text); INSERT INTO t.customers VALUES ({value}, 'a@example.com', 'Ann Lee');"
        f"INSERT INTO t.customer_phones VALUES ({value}, '+41790000001')",
    )
    (row,) = rows(tables, found)
    wanted = tables.execute(
        f"SELECT hashtextextended({value}::{kind}::text, 0) AS client_id".encode()
    ).fetchone()
    assert wanted is not None
    assert (row["client_id"], row["phone"]) == (wanted["client_id"], "+41790000001")
    for statement in ("scan.sql", "changed_updated_at.sql"):
        assert rows(tables, found, statement)[0]["client_id"] == wanted["client_id"]


def test_names_in_a_table_of_one_row_a_client_are_found(tables: Source, own_database: str) -> None:
    """As profiles of users are."""
    found = proposed(
        tables, own_database,
        "CREATE TABLE t.users (id bigint PRIMARY KEY, login text, created timestamptz);"
        "CREATE TABLE t.profiles (user_id bigint PRIMARY KEY REFERENCES t.users (id), "
        "firstname text, surname text, town text, zip text, iso3 text);"
        "INSERT INTO t.users VALUES (1, 'a@example.com'), (2, 'b@example.com');"
        "INSERT INTO t.profiles VALUES (1, 'Ann', 'Lee', 'Bern', '3000', 'CHE')",
    )  # fmt: skip
    ann, bob = rows(tables, found)
    assert (ann["first_name"], ann["last_name"], ann["city"]) == ("Ann", "Lee", "Bern")
    assert (ann["country"], ann["country_code"]) == ("Switzerland", "CHE")
    assert (bob["email"], bob["first_name"]) == ("b@example.com", None)


def test_orders_are_no_addresses(tables: Source, own_database: str) -> None:
    """The client's own columns are, though orders have a city, too."""
    found = proposed(
        tables, own_database,
        f"{CLIENTS}, street text, city text, phone text);"
        "CREATE TABLE t.orders (id int, client_id int REFERENCES t.clients (id), street text, "
        "city text, phone text); INSERT INTO t.clients VALUES (1, 'a@example.com', 'A', 'B', "
        "'Weg 1', 'Bern', '+41790000001');"
        "INSERT INTO t.orders VALUES (1, 1, 'Depot', 'Chur', '+41790000009')",
    )  # fmt: skip
    (row,) = rows(tables, found)
    assert (row["address_line_1"], row["city"], row["phone"]) == ("Weg 1", "Bern", "+41790000001")


def test_a_partitioned_table_shows_changes_by_xmin(tables: Source, own_database: str) -> None:
    """Its rows have one, and its partitions are no clients' tables of their own."""
    found = proposed(
        tables, own_database,
        "CREATE TABLE t.clients (id int PRIMARY KEY, email text, name text) "
        "PARTITION BY HASH (id);"
        "CREATE TABLE t.clients_0 PARTITION OF t.clients "
        "FOR VALUES WITH (MODULUS 1, REMAINDER 0);"
        "INSERT INTO t.clients VALUES (1, 'a@example.com', 'Ann')",
    )  # fmt: skip
    assert str(found.clients) == "t.clients"
    assert [row["client_id"] for row in rows(tables, found, "changed_xmin.sql")] == [1]


def test_a_view_without_times_has_every_client_looked_at(tables: Source, own_database: str) -> None:
    """Nothing says who changed; nobody is missed."""
    found = proposed(
        tables, own_database,
        "DROP SCHEMA IF EXISTS hidden CASCADE; CREATE SCHEMA hidden;"
        "CREATE TABLE hidden.raw (id int, email text);"
        "INSERT INTO hidden.raw VALUES (1, 'a@example.com');"
        "CREATE VIEW t.clients AS SELECT id AS client_id, email FROM hidden.raw",
    )  # fmt: skip
    assert "changed_xmin.sql" not in statements(found)
    assert [row["client_id"] for row in rows(tables, found, "changed_updated_at.sql")] == [1]


def test_clients_are_told_from_others_with_addresses(tables: Source, own_database: str) -> None:
    """Staff, logs and readers have some, too."""
    tables.execute(
        b"CREATE TABLE t.admin_users (id int PRIMARY KEY, email text, first_name text);"
        b"CREATE TABLE t.email_log (id int PRIMARY KEY, email text);"
        b"CREATE TABLE t.crm_customer (id int PRIMARY KEY, email text, first_name text);"
        b"INSERT INTO t.admin_users SELECT n, n || '@example.com' FROM generate_series(1, 9) n;"
        b"INSERT INTO t.email_log SELECT n, n || '@example.com' FROM generate_series(1, 99) n;"
        b"INSERT INTO t.crm_customer VALUES (1, 'a@example.com', 'A')"
    )
    found = candidates(read_catalog(own_database, priority, ["t"]))
    assert str(found[0]) == "t.crm_customer"


def test_no_clients_are_told(tables: Source, own_database: str) -> None:
    """In a sentence that says what to do; the same for a role that may read nothing."""
    tables.execute(b"CREATE TABLE t.goods (id int PRIMARY KEY, name text)")
    with pytest.raises(ConfigError, match="No table looks like clients"):
        propose(read_catalog(own_database, priority, ["t"]))


def test_odd_names_are_quoted(tables: Source, own_database: str) -> None:
    """Words of SQL, upper case, quotes, and what looks like a placeholder."""
    found = proposed(
        tables, own_database,
        'CREATE TABLE t."Client ""A""" ("Select" int PRIMARY KEY, "E-Mail" text, '
        '"First Name" text, "from" text, "city %(ids)s" text, "Phone" text);'
        """INSERT INTO t."Client ""A\""" VALUES (1, 'a@example.com', 'Ann', 'x', 'y',
        '+41790000001')""",
    )  # fmt: skip
    (row,) = rows(tables, found)
    assert (row["email"], row["first_name"], row["phone"]) == (
        "a@example.com", "Ann", "+41790000001",
    )  # fmt: skip


def test_a_word_beyond_the_first_pages_is_known_from_statistics(
    tables: Source, own_database: str
) -> None:
    """Samples are the first rows; the planner knows the rare ones, too."""
    found = proposed(
        tables, own_database,
        f"{CLIENTS}, status text); INSERT INTO t.clients SELECT n, n || '@example.com', 'A', 'B', "
        "CASE WHEN n > 2900 THEN 'deleted' ELSE 'active' END FROM generate_series(1, 3000) AS n;"
        "ANALYZE t.clients",
    )  # fmt: skip
    assert [rule.told for rule in found.rules] == ["clients whose status is deleted"]
    assert len(rows(tables, found)) == 2900


@pytest.mark.parametrize(
    ("columns", "values", "street", "city", "country"),
    [
        ("address_street text, address_city text", "'Weg 1', 'Bern'", "Weg 1", "Bern", None),
        (
            "billing_street text, billing_city text, billing_country text, home_city text, "
            "home_zip text, home_country text",
            "'Rue 1', 'Paris', 'FR', 'Bern', '3000', 'CH'", None, "Bern", "CH",
        ),
        (
            "primary_address_street text, primary_address_city text, primary_address_country text",
            "'Weg 1', 'Bern', 'CH'", "Weg 1", "Bern", "CH",
        ),
        (
            "billing_city text, billing_postcode text, country_code char(2)",
            "'Bern', '3000', 'CH'", None, "Bern", "CH",
        ),
        ("city text, state text", "'Bern', 'BE'", None, "Bern", None),
        ("state text", "'active'", None, None, None),
        ("address text, city text", "'b@example.com', 'Bern'", None, "Bern", None),
    ],
)  # fmt: skip
def test_an_address_in_the_clients_row_is_one(
    tables: Source, own_database: str, columns: str, values: str, street: str | None,
    city: str | None, country: str | None,
) -> None:  # fmt: skip
    """Parts of two kinds of address are never mixed."""
    found = proposed(
        tables, own_database,
        f"{CLIENTS}, {columns}); INSERT INTO t.clients VALUES (1, 'a@example.com', 'A', 'B', "
        f"{values})",
    )  # fmt: skip
    (row,) = rows(tables, found)
    assert (row["address_line_1"], row["city"], row["country_code"]) == (street, city, country)
    assert (row["state"], row["status"]) == (
        "BE" if "BE" in values else None, "active" if "active" in values else None,
    )  # fmt: skip

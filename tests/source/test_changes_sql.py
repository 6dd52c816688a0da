"""Both ways of finding changes: each kind of change, late commits, renamed lookups."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from local.b2core_demo.rows import add_address, add_client, add_phone
from tests.support import source_statements

MOMENT = datetime(2026, 5, 1, 12, tzinfo=UTC)
BEFORE = MOMENT - timedelta(seconds=1)


@pytest.fixture
def ann(connection: psycopg.Connection) -> int:
    """Add the client who will change, beside one who will not, and return her id."""
    other = add_client(connection, status_id=2, client_type_id=3, verification_level_id=2)
    add_phone(connection, other, "+1")
    add_address(connection, other, country_id=3)
    client = add_client(
        connection, status_id=1, client_type_id=1, verification_level_id=3, jurisdiction_id=2
    )
    add_phone(connection, client, "+2")
    add_address(connection, client, country_id=1)
    add_address(connection, client, type="billing", country_id=2)
    return client


CHANGES = {
    "client": "UPDATE b2core.clients SET last_name = 'New' WHERE id = %s",
    "phone": "UPDATE b2core.client_phones SET confirmed = true WHERE client_id = %s",
    "new phone": "INSERT INTO b2core.client_phones (client_id, phone) VALUES (%s, '+3')",
    "address": "UPDATE b2core.client_addresses SET city = 'Oslo' WHERE client_id = %s",
    "new address": "INSERT INTO b2core.client_addresses (client_id, type) VALUES (%s, 'legal')",
    "client updated to the same": "UPDATE b2core.clients SET last_name = last_name WHERE id = %s",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_xmin_finds_each_kind_of_change(
    connection: psycopg.Connection, ann: int, change: str
) -> None:
    before = source_statements.horizon(connection)
    assert source_statements.ids("changed_xmin", connection, horizon=before) == []
    connection.execute(change, [ann])
    assert source_statements.ids("changed_xmin", connection, horizon=before) == [ann]
    later = source_statements.horizon(connection)
    assert source_statements.ids("changed_xmin", connection, horizon=later) == []


def test_xmin_finds_a_new_client(connection: psycopg.Connection, ann: int) -> None:
    before = source_statements.horizon(connection)
    new = add_client(connection)
    add_phone(connection, new, "+1")
    add_phone(connection, new, "+2")
    add_address(connection, new)
    assert source_statements.ids("changed_xmin", connection, horizon=before) == [new]


LOOKUPS = {
    "client_statuses": ("name", 1),
    "client_types": ("name", 1),
    "verification_levels": ("caption", 3),
    "jurisdictions": ("caption", 2),
    "countries": ("name", 1),
    "countries ": ("code", 2),  # of an address that is not the chosen one
}


@pytest.mark.parametrize(("table", "renamed"), LOOKUPS.items(), ids=LOOKUPS.keys())
def test_xmin_finds_everyone_who_uses_a_renamed_lookup(
    connection: psycopg.Connection, ann: int, table: str, renamed: tuple[str, int]
) -> None:
    column, row_id = renamed
    before = source_statements.horizon(connection)
    rename = sql.SQL("UPDATE b2core.{} SET {} = 'new' WHERE id = %s")
    connection.execute(
        rename.format(sql.Identifier(table.strip()), sql.Identifier(column)), [row_id]
    )
    assert source_statements.ids("changed_xmin", connection, horizon=before) == [ann]


def test_xmin_finds_what_was_open_during_the_earlier_snapshot(
    connection: psycopg.Connection, b2core: str, ann: int
) -> None:
    with psycopg.connect(b2core) as slow:
        slow.execute("UPDATE b2core.clients SET last_name = 'Late' WHERE id = %s", [ann])
        add_client(connection)  # a later transaction that commits first
        before = source_statements.horizon(connection)
        assert ann not in source_statements.ids("changed_xmin", connection, horizon=before)
        slow.commit()
    assert ann in source_statements.ids("changed_xmin", connection, horizon=before)


def test_xmin_does_not_report_what_was_rolled_back(
    connection: psycopg.Connection, b2core: str, ann: int
) -> None:
    before = source_statements.horizon(connection)
    with psycopg.connect(b2core) as undone:
        undone.execute("UPDATE b2core.clients SET last_name = 'No' WHERE id = %s", [ann])
        undone.rollback()
    assert source_statements.ids("changed_xmin", connection, horizon=before) == []


def test_xmin_survives_a_vacuum_freeze(connection: psycopg.Connection, ann: int) -> None:
    before = source_statements.horizon(connection)
    connection.execute("UPDATE b2core.clients SET last_name = 'New' WHERE id = %s", [ann])
    connection.execute("VACUUM (FREEZE) b2core.clients")
    assert source_statements.ids("changed_xmin", connection, horizon=before) == [ann]


Touch = Callable[[psycopg.Connection, int, datetime | None], None]


def touch(table: str, key: str) -> Touch:
    """Return a function that sets updated_at of one client's rows in a table."""
    statement = sql.SQL("UPDATE b2core.{} SET updated_at = %s WHERE {} = %s").format(
        sql.Identifier(table), sql.Identifier(key)
    )

    def touched(connection: psycopg.Connection, client: int, at: datetime | None) -> None:
        connection.execute(statement, [at, client])

    return touched


TABLES = {
    "clients": touch("clients", "id"),
    "client_phones": touch("client_phones", "client_id"),
    "client_addresses": touch("client_addresses", "client_id"),
}


@pytest.mark.parametrize("set_time", TABLES.values(), ids=TABLES.keys())
@pytest.mark.parametrize(
    ("at", "found"),
    [(MOMENT, True), (BEFORE, False), (None, True)],
    ids=["at", "before", "unknown"],
)
def test_updated_at_is_inclusive_in_each_table(
    connection: psycopg.Connection, ann: int, set_time: Touch, at: datetime | None, found: bool
) -> None:
    for table in ("clients", "client_phones", "client_addresses"):
        connection.execute(f"UPDATE b2core.{table} SET updated_at = %s", [BEFORE])
    set_time(connection, ann, at)
    expected = [ann] if found else []
    assert source_statements.ids("changed_updated_at", connection, since=MOMENT) == expected


def test_updated_at_does_not_see_a_renamed_lookup(connection: psycopg.Connection, ann: int) -> None:
    (since,) = connection.execute("SELECT clock_timestamp()").fetchone() or (None,)
    connection.execute("UPDATE b2core.verification_levels SET caption = 'new'")
    assert source_statements.ids("changed_updated_at", connection, since=since) == []


def test_scan_returns_every_client(connection: psycopg.Connection, ann: int) -> None:
    assert source_statements.ids("scan", connection) == [ann - 1, ann]

"""Single rows of the demo's B2CORE, for tests that need a client of a certain kind."""

from __future__ import annotations

from datetime import datetime

import psycopg
from psycopg import sql

Value = str | int | bool | datetime | None


def add_client(connection: psycopg.Connection, **columns: Value) -> int:
    """Insert a client and return its id; columns that are not given have plausible values."""
    defaults: dict[str, Value] = {
        "email": "ann@example.com",
        "first_name": "Ann",
        "last_name": "Lee",
    }
    return insert(connection, "clients", defaults | columns)


def add_phone(connection: psycopg.Connection, client_id: int, phone: str, **columns: Value) -> int:
    """Insert a phone of a client, unconfirmed and updated now unless given, and return its id."""
    return insert(connection, "client_phones", {"client_id": client_id, "phone": phone, **columns})


def add_address(connection: psycopg.Connection, client_id: int, **columns: Value) -> int:
    """Insert an address of a client, residential unless given, and return its id."""
    defaults: dict[str, Value] = {"client_id": client_id, "type": "residential"}
    return insert(connection, "client_addresses", defaults | columns)


def insert(connection: psycopg.Connection, table: str, columns: dict[str, Value]) -> int:
    """Insert one row into a table of b2core and return its id."""
    statement = sql.SQL("INSERT INTO b2core.{} ({}) VALUES ({}) RETURNING id").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(sql.Placeholder() * len(columns)),
    )
    (row_id,) = connection.execute(statement, list(columns.values())).fetchone() or (0,)
    return int(row_id)

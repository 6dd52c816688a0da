"""Run the contract's statements as the product does, with the parameters as literals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

FOLDER = Path(__file__).parents[2] / "include" / "sql" / "b2core"
ALL = {"first_id": -(2**63), "last_id": 2**63 - 1, "ids": None}


def literal(name: str, connection: psycopg.Connection, **parameters: Any) -> str:
    """Return the text of a statement with its parameters filled in."""
    text = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    return psycopg.ClientCursor(connection).mogrify(text, parameters)


def clients(connection: psycopg.Connection, **parameters: Any) -> list[dict[str, Any]]:
    """Return the rows of clients.sql, by default of every client, ordered by id."""
    text = literal("clients", connection, **(ALL | parameters))
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(f"SELECT * FROM ({text}) AS clients ORDER BY client_id")
        return cursor.fetchall()


def ids(name: str, connection: psycopg.Connection, **parameters: Any) -> list[int]:
    """Return the client ids that a statement selects, sorted; of changes each once."""
    found = [row[0] for row in connection.execute(literal(name, connection, **parameters))]
    return sorted(set(found) if name.startswith("changed") else found)


def horizon(connection: psycopg.Connection) -> str:
    """Return what a run keeps of its snapshot: the oldest transaction then open, modulo 2^32."""
    query = "SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::numeric % 4294967296)::text"
    (xid,) = connection.execute(query).fetchone() or ("",)
    return str(xid)

"""Small schemas of others for tests: made, proposed for, and asked as a sync would."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from contact_sync.b2core.setup.catalog import read_catalog
from contact_sync.b2core.setup.parts import Proposal
from contact_sync.b2core.setup.proposal import priority, propose
from contact_sync.b2core.setup.write_all import statements

EVERYBODY = {"first_id": -(2**63), "last_id": 2**63 - 1, "ids": None}
CLIENTS = "CREATE TABLE t.clients (id int PRIMARY KEY, email text, first_name text, last_name text"
Source = psycopg.Connection[dict[str, Any]]


def proposed(tables: Source, own_database: str, made: str) -> Proposal:
    """What is proposed for these tables."""
    tables.execute(made.encode())
    return propose(read_catalog(own_database, priority, ["t"]))


def rows(tables: Source, found: Proposal, statement: str = "clients.sql") -> list[dict[str, Any]]:
    """What a statement gives, in order of the addresses; every other statement runs, too."""
    files = statements(found)
    values = {**EVERYBODY, "horizon": "3", "since": "2000-01-01", "client_id": 1}
    for name, text in files.items():
        if name != "roles.sql":
            tables.execute(_filled(text, values))
    given = tables.execute(_filled(files[statement], values)).fetchall()
    return sorted(given, key=lambda row: str(row.get("email")))


def _filled(text: str, values: dict[str, Any]) -> bytes:
    for name, value in values.items():
        text = text.replace(f"%({name})s", sql.Literal(value).as_string(None))
    return text.encode()

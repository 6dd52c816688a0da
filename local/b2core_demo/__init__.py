"""The demo's B2CORE: its schema, a generator of plausible clients, and a back office's changes.

For a laptop, the demo and the tests only. Nothing here is read by the product; what the two share
is the shape of the tables, which schema.sql and include/sql/b2core/ both name. Command line:
__main__.py.
"""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import sql

from local.b2core_demo.changes import apply_demo_changes

__all__ = ["READER", "apply_demo_changes", "create_reader", "create_schema", "generate"]

HERE = Path(__file__).parent
SCHEMA = HERE / "schema.sql"
ROLES = HERE.parents[1] / "include" / "sql" / "b2core" / "roles.sql"
READER = "contact_sync_reader"
MAX_CLIENTS = 20_000_000


def create_schema(url: str) -> None:
    """Create the tables and fill the lookups; what exists already stays as it is."""
    with psycopg.connect(url) as connection:
        connection.execute(SCHEMA.read_bytes())


def create_reader(url: str, password: str) -> None:
    """Create the read-only role `READER` by the administrator's roles.sql and set its password."""
    set_password = sql.SQL("ALTER ROLE {} PASSWORD {}")
    with psycopg.connect(url) as connection:
        connection.execute(ROLES.read_bytes())
        connection.execute(set_password.format(sql.Identifier(READER), sql.Literal(password)))


def generate(url: str, *, clients: int, seed: int = 1, replace: bool = False) -> None:
    """Fill the tables with `clients` plausible clients, the same ones for the same seed.

    Raise ValueError when there are clients already, unless `replace`, which deletes them all.
    """
    if not 1 <= clients <= MAX_CLIENTS:
        raise ValueError(f"clients must be between 1 and {MAX_CLIENTS:,}, not {clients:,}")
    with psycopg.connect(url) as connection:
        if connection.execute("SELECT 1 FROM b2core.clients LIMIT 1").fetchone() and not replace:
            raise ValueError("There are clients already: pass --replace, or use another database")
        connection.execute(
            "SELECT set_config('demo.clients', %s, true), setseed(%s)",
            (str(clients), (seed % 1_000_003) / 1_000_003),
        )
        connection.execute((HERE / "generate.sql").read_bytes())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "VACUUM (ANALYZE) b2core.clients, b2core.client_phones, b2core.client_addresses"
        )
        connection.execute("ANALYZE b2core.countries")

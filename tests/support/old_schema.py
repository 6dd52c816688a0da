"""The state database of an earlier version of this code, with the rows that a test has made."""

from __future__ import annotations

from urllib.parse import urlsplit

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from contact_sync.state import outbox_blocks
from contact_sync.state.database import StateDatabase
from contact_sync.state.migrate import MIGRATIONS
from local.postgres.server import Cluster
from tests.support.steps import TABLES
from tests.support.world import World

COLUMNS = """SELECT column_name FROM information_schema.columns
             WHERE table_schema = 'contact_sync' AND table_name = %s AND is_generated = 'NEVER'"""
OF_0005 = [
    table for table in TABLES if table not in ("dropped_value", "outbox_block", "suppression")
]
IDENTITIES = {"sync": "sync_id", "run": "run_id", "batch": "batch_id"}
BEFORE_0006 = """UPDATE pg_temp.ledger SET state = 'excluded', reason = 'shared_address'
                 WHERE state = 'shared'"""


def upgrade_to(url: str, revision: str) -> None:
    """Make the state schema of an older version, with alembic and without the package."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool
    )
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def as_administrator(world: World, cluster: Cluster) -> psycopg.Connection:
    """A connection to the world's state database."""
    return psycopg.connect(cluster.url(urlsplit(world.state_url).path[1:]))


def empty_schema(administrator: psycopg.Connection) -> None:
    """Make the schema again, without a table."""
    administrator.execute("DROP SCHEMA contact_sync CASCADE")
    administrator.execute("CREATE SCHEMA contact_sync AUTHORIZATION contact_sync_state")
    administrator.commit()


def as_rows(world: World) -> None:
    """What is staged in blocks becomes rows, as all versions before 0038 had it."""
    with StateDatabase(world.state_url).transaction() as cursor:
        outbox_blocks.unpack_all(cursor)


def go_back_to(world: World, cluster: Cluster, revision: str) -> None:
    """Bring the state database back to version 0004, 0005, 0008 or 0015, with its rows as that
    version's code wrote them."""
    as_rows(world)
    with as_administrator(world, cluster) as administrator:
        for table in OF_0005:
            administrator.execute(f"CREATE TEMPORARY TABLE {table} AS TABLE contact_sync.{table}")
        if revision < "0006":
            administrator.execute(BEFORE_0006)
        empty_schema(administrator)
        upgrade_to(world.state_url, revision)
        for table in OF_0005:
            names = ", ".join(name for (name,) in administrator.execute(COLUMNS, (table,)))
            administrator.execute(
                f"""INSERT INTO contact_sync.{table} ({names}) OVERRIDING SYSTEM VALUE
                    SELECT {names} FROM pg_temp.{table}"""
            )
        for table, column in IDENTITIES.items():
            administrator.execute(
                f"""SELECT setval(pg_get_serial_sequence('contact_sync.{table}', '{column}'),
                                  max({column})) FROM contact_sync.{table}"""
            )

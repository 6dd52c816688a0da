"""CRMs of others: each a schema of its own, set up by `init` as a person would."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from contact_sync.base.paths import INCLUDE
from contact_sync.cli.main import main
from contact_sync.config.files import read_definition
from local.postgres.server import Cluster
from tests.conftest import READER_PASSWORD
from tests.support.foreign_tables import Source
from tests.support.world import QUICK, World

SCHEMAS = Path(__file__).parent / "schemas"
READER = sql.Identifier("contact_sync_reader")
ForeignWorld = Callable[[str], World]


@pytest.fixture
def include(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of include/, which a command may write to."""
    copy = Path(shutil.copytree(INCLUDE, tmp_path / "include"))
    monkeypatch.setattr("contact_sync.cli.new_files.INCLUDE", copy)
    monkeypatch.setattr("contact_sync.config.files.INCLUDE", copy)
    return copy


@pytest.fixture
def connect(
    world: World, cluster: Cluster, include: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ForeignWorld]:
    """A database of the schema file of this name, which the reader may read wholly, and Airflow's
    connections to it."""
    made = []

    def make(name: str) -> World:
        made.append(f"foreign_{name}")
        url = cluster.create_database(made[-1])
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute((SCHEMAS / f"{name}.sql").read_bytes())
        grant_everything(url)
        reader = cluster.url(made[-1], user="contact_sync_reader", password=READER_PASSWORD)
        foreign = replace(
            world, b2core_url=url, reader_url=reader, sql_folder=include / "sql" / name
        )
        foreign.connect_airflow(monkeypatch)
        return foreign

    yield make
    from tests.support import connections

    connections.close_all()
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        for name in made:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


def grant_everything(url: str) -> None:
    """What an administrator does for the time of `init`."""
    with psycopg.connect(url, autocommit=True) as connection:
        schemas = connection.execute(
            """SELECT nspname FROM pg_namespace
               WHERE nspname !~ '^pg_|^information_schema|_private$'"""
        ).fetchall()
        for (schema,) in schemas:
            for grant in (
                "GRANT USAGE ON SCHEMA {} TO {}",
                "GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}",
            ):
                connection.execute(sql.SQL(grant).format(sql.Identifier(schema), READER))


def run_roles(foreign: World) -> None:
    """The administrator runs what `init` has written."""
    with psycopg.connect(foreign.b2core_url, autocommit=True) as connection:
        connection.execute((foreign.sql_folder / "roles.sql").read_bytes())


def begun(foreign: World, include: Path, *options: str) -> World:
    """The world after `init --yes` and roles.sql, with the definition that was written."""
    name = conninfo_to_dict(foreign.b2core_url)["dbname"]
    name = str(name).removeprefix("foreign_")
    assert main(["init", name, "--yes", *options]) == 0
    run_roles(foreign)
    foreign.definition = read_definition(name, include / "syncs")
    foreign.redefine(deadlines=QUICK)
    return foreign


@pytest.fixture(scope="session")
def own_database(cluster: Cluster) -> str:
    """A database for small schemas, one after the other."""
    try:
        return cluster.create_database("proposals")
    except psycopg.errors.DuplicateDatabase:  # a mutant's session has made it
        return cluster.url("proposals")


@pytest.fixture
def tables(own_database: str) -> Iterator[Source]:
    """An empty schema t."""
    with psycopg.connect(own_database, autocommit=True, row_factory=dict_row) as connection:
        connection.execute("DROP SCHEMA IF EXISTS t CASCADE")
        connection.execute("CREATE SCHEMA t")
        yield connection

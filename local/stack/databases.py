"""The stack's PostgreSQL: three databases, and a role of its own for each of their users."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from local.b2core_demo import READER, create_reader, create_schema
from local.postgres.server import Cluster, start_cluster

B2CORE = "b2core"
STATE = "contact_sync"
AIRFLOW = "airflow"
OWNERS = {STATE: "contact_sync_state", AIRFLOW: "airflow"}


@dataclass(frozen=True, slots=True)
class Databases:
    """A running server with an empty B2CORE, an empty state database, and one for Airflow."""

    cluster: Cluster
    passwords: dict[str, str] = field(repr=False)

    @property
    def b2core_url(self) -> str:
        """The administrator's way into B2CORE; the sync itself reads as READER."""
        return self.cluster.url(B2CORE)

    @property
    def airflow_url(self) -> str:
        """Airflow's own database as a SQLAlchemy URL."""
        user = OWNERS[AIRFLOW]
        url = self.cluster.url(AIRFLOW, user, self.passwords[user])
        return url.replace("postgresql://", "postgresql+psycopg2://", 1)


@contextmanager
def kept_databases(directory: Path, passwords: dict[str, str]) -> Iterator[Databases]:
    """Start a server in `directory` whose databases are there, made by `databases` with these
    passwords, and keep all of it."""
    cluster = start_cluster(directory, durable=True)
    try:
        yield Databases(cluster, passwords)
    finally:
        cluster.stop()


@contextmanager
def databases(directory: Path, *, keep: bool = False) -> Iterator[Databases]:
    """Start a server in `directory` with the databases, and remove all of it at the end, unless it
    is to be kept."""
    cluster = start_cluster(directory, durable=keep)
    try:
        passwords = {role: secrets.token_urlsafe(24) for role in (READER, *OWNERS.values())}
        with psycopg.connect(cluster.url(), autocommit=True) as connection:
            remove_leftovers(connection)
            for database, owner in OWNERS.items():
                create_owner(connection, owner, passwords[owner])
                create_database(connection, database, owner)
        url = cluster.create_database(B2CORE)
        create_schema(url)
        create_reader(url, passwords[READER])
        yield Databases(cluster, passwords)
    finally:
        cluster.stop()
        if not keep:
            shutil.rmtree(cluster.directory)


def remove_leftovers(connection: psycopg.Connection) -> None:
    """Drop what a killed launcher left in the directory."""
    for database in (B2CORE, *OWNERS):
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        connection.execute(statement.format(sql.Identifier(database)))
    for role in (READER, *OWNERS.values()):
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


def create_owner(connection: psycopg.Connection, role: str, password: str) -> None:
    """Create a role that may log in and owns nothing yet."""
    statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
    connection.execute(statement.format(sql.Identifier(role), sql.Literal(password)))


def create_database(connection: psycopg.Connection, database: str, owner: str) -> None:
    """Create an empty database that belongs to `owner`."""
    statement = sql.SQL("CREATE DATABASE {} OWNER {}")
    connection.execute(statement.format(sql.Identifier(database), sql.Identifier(owner)))

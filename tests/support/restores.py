"""Backups of a state database and what brings them back, each as its administrator might do it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from local.postgres.account import reachable_programs
from local.postgres.server import Cluster
from tests.support import connections

SCHEMA = "contact_sync"
Restore = Callable[[], str]
"""Brings a backup back; gives the URL of the database that has it."""
_copies = count()


def _database(url: str) -> str:
    return urlsplit(url).path.strip("/")


def _program(name: str, *arguments: str) -> None:
    command = [str(reachable_programs(None) / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@contextmanager
def _other_database(cluster: Cluster, url: str, template: str) -> Iterator[str]:
    """A new database beside the one of `url`; gives the URL of the same role there."""
    name = f"restored_{next(_copies)}"
    connections.close_all()
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        new = sql.Identifier(name)
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(new, sql.Identifier(template))
        )
        try:
            yield url.replace(f"/{_database(url)}", f"/{name}")
        finally:
            connections.close_all()
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(new))


def _dump(cluster: Cluster, url: str, folder: Path) -> str:
    file = str(folder / "state.dump")
    _program("pg_dump", "-Fc", "-f", file, cluster.url(_database(url)))
    return file


@contextmanager
def dump_and_clean(cluster: Cluster, url: str, folder: Path) -> Iterator[Restore]:
    """pg_dump, and pg_restore --clean into the same database."""
    file = _dump(cluster, url, folder)

    def restore() -> str:
        connections.close_all()
        into = cluster.url(_database(url))
        _program("pg_restore", "--clean", "--if-exists", "-d", into, file)
        return url

    yield restore


@contextmanager
def dump_elsewhere(cluster: Cluster, url: str, folder: Path) -> Iterator[Restore]:
    """pg_dump, and pg_restore into another database."""
    file = _dump(cluster, url, folder)
    with _other_database(cluster, url, "template0") as restored:

        def restore() -> str:
            _program("pg_restore", "-d", cluster.url(_database(restored)), file)
            return restored

        yield restore


@contextmanager
def template(cluster: Cluster, url: str, folder: Path) -> Iterator[Restore]:
    """CREATE DATABASE … TEMPLATE: a copy of the files, with the rows' transaction numbers."""
    del folder
    with _other_database(cluster, url, _database(url)) as copy:
        yield lambda: copy


def _columns(connection: psycopg.Connection, table: sql.Identifier) -> sql.Composed:
    """Those that can be written."""
    found = connection.execute(
        """SELECT attname FROM pg_attribute
           WHERE attrelid = format('%%s.%%s', %s::text, %s::text)::regclass
               AND attnum > 0 AND NOT attisdropped AND attgenerated = '' """,
        [SCHEMA, table.as_string(connection)],
    )
    return sql.SQL(", ").join(sql.Identifier(name) for (name,) in found)


def _tables(connection: psycopg.Connection) -> list[sql.Identifier]:
    found = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'",
        [SCHEMA],
    )
    return [sql.Identifier(name) for (name,) in found]


@contextmanager
def rows(cluster: Cluster, url: str, folder: Path, *, only: str | None = None) -> Iterator[Restore]:
    """Every table, or `only` one, is copied, emptied and filled again."""
    del folder
    kept = sql.Identifier("kept")
    superuser = cluster.url(_database(url))
    with psycopg.connect(superuser) as connection:
        tables = [sql.Identifier(only)] if only else _tables(connection)
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(kept))
        for table in tables:
            connection.execute(
                sql.SQL("CREATE TABLE {}.{} AS TABLE {}.{}").format(
                    kept, table, sql.Identifier(SCHEMA), table
                )
            )

    def restore() -> str:
        with psycopg.connect(superuser) as connection:
            connection.execute("SET session_replication_role = replica")
            names = [sql.SQL("{}.{}").format(sql.Identifier(SCHEMA), table) for table in tables]
            connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(names)))
            for name, table in zip(names, tables, strict=True):
                columns = _columns(connection, table)
                connection.execute(
                    sql.SQL(
                        "INSERT INTO {0} ({1}) OVERRIDING SYSTEM VALUE SELECT {1} FROM {2}.{3}"
                    ).format(name, columns, kept, table)
                )
        return url

    try:
        yield restore
    finally:
        with psycopg.connect(superuser) as connection:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(kept))


@contextmanager
def the_ledger(cluster: Cluster, url: str, folder: Path) -> Iterator[Restore]:
    """The ledger alone is emptied and filled with older rows."""
    with rows(cluster, url, folder, only="ledger") as restore:
        yield restore


LOGICAL = {
    "pg_restore --clean": dump_and_clean,
    "pg_restore elsewhere": dump_elsewhere,
    "TEMPLATE": template,
    "rows": rows,
    "ledger alone": the_ledger,
}

"""Databases that many tests share: each finds them empty, and as they were made."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from psycopg import sql

from local.b2core_demo import SCHEMA
from tests.support import connections

LARGE = 1_000_000  # bytes; TRUNCATE takes 10 ms a table, DELETE leaves dead rows to be read
NEVER_EMPTIED = "alembic_version"


def empty(url: str, schema: str) -> None:
    """Delete all rows of a schema, as superuser; generated ids start at 1 again."""
    with connections.connection(url) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")  # no foreign keys
        tables = connection.execute(
            """SELECT relname, pg_table_size(oid) FROM pg_class
               WHERE relnamespace = %s::regnamespace AND relkind = 'r' AND relname <> %s""",
            [schema, NEVER_EMPTIED],
        ).fetchall()
        each = [
            sql.SQL("TRUNCATE {} CASCADE" if size > LARGE else "DELETE FROM {}").format(
                sql.Identifier(schema, name)
            )
            for name, size in tables
        ]
        connection.execute(sql.SQL("; ").join(each))  # at once: it is done for every test
        connection.execute(
            """SELECT setval(format('%%I.%%I', schemaname, sequencename)::regclass, 1, FALSE)
               FROM pg_sequences WHERE schemaname = %s""",
            [schema],
        )


def empty_b2core(url: str) -> None:
    """A B2CORE that has its lookup values and no client."""
    empty(url, "b2core")
    with connections.connection(url) as connection:
        connection.execute(SCHEMA.read_bytes())


def indexes(url: str, schema: str) -> frozenset[tuple[str, str]]:
    """Name and definition of each index of a schema that isn't part of a constraint."""
    with connections.connection(url) as connection:
        rows = connection.execute(
            """SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_class AS c
               WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind = 'i'
                   AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = c.oid)""",
            [schema],
        ).fetchall()
    return frozenset((name, definition) for name, definition in rows)


def drop_indexes(url: str, schema: str, names: Iterable[str]) -> None:
    """Drop indexes of a schema."""
    with connections.connection(url) as connection:
        for name in names:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(schema, name)))


def shape(url: str, schema: str) -> list[object]:
    """What a test may have changed about a schema besides its rows, save those never emptied, and
    besides what `indexes` gives."""
    with connections.connection(url) as connection:
        cursor = connection.execute(
            """SELECT coalesce(string_agg(concat_ws(' ', c.relname, a.attname, a.atttypid,
                   a.attnotnull, a.attisdropped, c.relacl), ', ' ORDER BY c.relname, a.attnum), '')
               FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
               WHERE c.relnamespace = to_regnamespace(%s) AND a.attnum > 0
                   AND (c.relkind <> 'i'
                       OR EXISTS (SELECT FROM pg_constraint WHERE conindid = c.oid))""",
            [schema],
        )
        found: list[object] = list(cursor.fetchall())
        kept = f"{schema}.{NEVER_EMPTIED}"
        if connection.execute("SELECT to_regclass(%s)", [kept]).fetchall()[0][0]:
            name = sql.Identifier(schema, NEVER_EMPTIED)
            found += connection.execute(sql.SQL("SELECT * FROM {}").format(name)).fetchall()
        return found


def make_batches_older(url: str, seconds: float) -> None:
    """As if the state database's clock had gone on since every batch was sent: who waits for a
    job's deadline has waited so much longer."""
    with connections.connection(url) as connection:
        connection.execute(
            """UPDATE contact_sync.batch
               SET submitted_at = submitted_at - make_interval(secs => %(seconds)s),
                   fate_unknown_at = fate_unknown_at - make_interval(secs => %(seconds)s)""",
            {"seconds": seconds},
        )


def end_transactions(url: str, database: str) -> None:
    """End what a killed process has left open in a database."""
    with connections.connection(url) as connection:
        connection.execute(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = %s AND pid <> pg_backend_pid() AND state <> 'idle'""",
            [database],
        )


class Shared:
    """A schema in a database, made when it isn't there yet or a test has changed its shape."""

    def __init__(self, url: str, schema: str, make: Callable[[], None]) -> None:
        """`make` has to make the database or the schema again, whatever is left of the old one."""
        self._url = url
        self._schema = schema
        self._make = make
        make()
        self._shape = shape(url, schema)
        self._indexes = indexes(url, schema)

    def whole(self) -> str:
        """The database's URL; everything in it is as it was made, except for rows."""
        there = indexes(self._url, self._schema)
        if shape(self._url, self._schema) != self._shape or self._indexes - there:
            self._make()
        elif more := there - self._indexes:  # the first load of a ledger makes one
            drop_indexes(self._url, self._schema, (name for name, _ in more))
        return self._url

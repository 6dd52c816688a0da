"""Backups of a schema's rows, and their return, as a restore without its new server would do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import Cursor, sql

from tests.support import connections
from tests.support.databases import NEVER_EMPTIED

TABLES = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r' AND c.relname <> %s
    AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY c.relname
"""
SEQUENCES = """
SELECT format('%%I.%%I', schemaname, sequencename), coalesce(last_value, start_value),
    last_value IS NOT NULL
FROM pg_sequences WHERE schemaname = %s
"""
TIMES = """
SELECT table_name, array_agg(column_name::text) FROM information_schema.columns
INNER JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_type = 'BASE TABLE' AND table_schema = %s
    AND data_type = 'timestamp with time zone' AND is_generated = 'NEVER'
    AND table_name <> 'state_identity' -- it would be a restored row, and has no such time
GROUP BY table_name
"""


@dataclass(frozen=True)
class Backup:
    """`tables`: name → columns and rows as COPY's text. `sequences`: name, value, has it begun."""

    tables: dict[str, tuple[list[str], bytes]]
    sequences: list[tuple[str, int, bool]]


def take(url: str, schema: str) -> Backup:
    """All rows and sequences of a schema, in one snapshot."""
    with connections.connection(url) as connection:
        cursor = connection.cursor()
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        found = cursor.execute(TABLES, [schema, NEVER_EMPTIED]).fetchall()
        tables = {
            name: (columns, _copied(cursor, schema, name, columns)) for name, columns in found
        }
        return Backup(tables, cursor.execute(SEQUENCES, [schema]).fetchall())


def put_back(url: str, schema: str, backup: Backup) -> None:
    """The schema's rows become what they were, as superuser; no trigger, no foreign key."""
    with connections.connection(url) as connection:
        cursor = connection.cursor()
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name in backup.tables:
            cursor.execute(_about("DELETE FROM {}", schema, name))
        for name, (columns, rows) in backup.tables.items():
            statement = _about("COPY {} ({}) FROM STDIN", schema, name, columns)
            with cursor.copy(statement) as copy:
                copy.write(rows)
        for sequence in backup.sequences:
            cursor.execute("SELECT setval(%s::regclass, %s, %s)", sequence)


def shift_times(url: str, schema: str, hours: int) -> None:
    """Every stored time becomes later or, below 0, earlier: the server's clock jumps the other
    way."""
    with connections.connection(url) as connection:
        cursor = connection.cursor()
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name, columns in cursor.execute(TIMES, [schema]).fetchall():
            changes = sql.SQL(", ").join(
                sql.SQL("{0} = {0} + {1} * interval '1 hour'").format(sql.Identifier(each), hours)
                for each in columns
            )
            cursor.execute(
                sql.SQL("UPDATE {} SET {}").format(sql.Identifier(schema, name), changes)
            )


def _copied(cursor: Cursor[Any], schema: str, name: str, columns: list[str]) -> bytes:
    with cursor.copy(_about("COPY {} ({}) TO STDOUT", schema, name, columns)) as copy:
        return b"".join(bytes(part) for part in copy)


def _about(
    statement: LiteralString, schema: str, name: str, columns: list[str] | None = None
) -> sql.Composed:
    listed = sql.SQL(", ").join(map(sql.Identifier, columns or []))
    return sql.SQL(statement).format(sql.Identifier(schema, name), listed)

"""The state database's tables, from a migrated one: columns, types and comments."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

import psycopg

from local.docs_generator.markdown import code, table

QUERY = """
SELECT
    c.relname,
    c.relkind = 'v',
    coalesce(obj_description(c.oid, 'pg_class'), ''),
    a.attname,
    format_type(a.atttypid, a.atttypmod),
    a.attnotnull,
    coalesce(col_description(c.oid, a.attnum), '')
FROM pg_class AS c
INNER JOIN pg_attribute AS a ON c.oid = a.attrelid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'contact_sync'::regnamespace AND c.relkind IN ('r', 'v')
    AND c.relname <> 'alembic_version'
ORDER BY c.relkind, c.relname, a.attnum
"""


def read_tables(url: str) -> list[str]:
    """Every table and view of the schema with its columns; `url` is the database's."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(QUERY).fetchall()
    lines: list[str] = []
    for (name, is_view, meaning), columns in groupby(rows, key=itemgetter(0, 1, 2)):
        lines += ["", f"### {name}{' (view)' if is_view else ''}", ""]
        lines += [meaning, ""] if meaning else []
        cells = (
            (code(column), kind + ("" if needed or is_view else " or NULL"), comment)
            for *_, column, kind, needed, comment in columns
        )
        lines += table(("Column", "Type", "Meaning"), cells)
    return lines

"""Which tables the statements read, as a mark that changes when one is emptied or replaced.

TRUNCATE, and some forms of ALTER TABLE, aren't MVCC-safe (PostgreSQL docs, 13.6): to a snapshot
that was taken before, the table looks empty afterwards. So does a table that was dropped and made
again. Their rows are then in another file, or the table has another oid, than the snapshot sees.
Between two runs such a change hides rows from `xmin`: those that were written long ago into a table
that only now gets the name, or is attached as a partition, and those that TRUNCATE took away; and
it may give columns other values without writing a row.

Only catalogs are read, by names: no right on the tables is needed, nor on the schemas of those
below a view.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from contact_sync.b2core.statements import NOT_CODE
from contact_sync.base.errors import RetryableError
from contact_sync.postgres import arrow_reader
from contact_sync.postgres.arrow_reader import Connection
from contact_sync.postgres.literals import literal

_NAME = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
_NAMES = re.compile(rf"({_NAME})(?:\s*\.\s*({_NAME}))?")
NAMED = """INNER JOIN pg_class AS c ON c.relname = n.name
    INNER JOIN pg_namespace AS s ON s.oid = c.relnamespace
    WHERE
        c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND s.nspname NOT IN ('pg_catalog', 'information_schema')
        AND CASE WHEN n.schema = '' THEN pg_table_is_visible(c.oid) ELSE s.nspname = n.schema END"""
"""After `n`, with `schema` ('' = none is written) and `name`: the relations `c`, in their schemas
`s`, that a statement means by that."""
BELOW = """SELECT d.refobjid AS oid
FROM pg_class AS v
INNER JOIN pg_rewrite AS r ON r.ev_class = v.oid
INNER JOIN pg_depend AS d
    ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    AND d.refclassid = 'pg_class'::regclass
WHERE v.oid = used.oid AND v.relkind = 'v'
UNION ALL
SELECT i.inhrelid FROM pg_inherits AS i WHERE i.inhparent = used.oid
"""
"""Of `used.oid`: the relations that a view reads, the partitions of a parent."""
_COLUMNS = """SELECT md5(string_agg(concat_ws(
            '/', a.attname, a.attnum, a.atttypid,
            (
                SELECT md5(e.adbin::text) FROM pg_attrdef AS e
                WHERE e.adrelid = a.attrelid AND e.adnum = a.attnum AND a.attgenerated <> ''
            ),
            (
                SELECT string_agg(l.enumlabel, ',' ORDER BY l.oid) FROM pg_enum AS l
                WHERE l.enumtypid IN (t.oid, t.typbasetype, t.typelem)
            )
        ), ' ' ORDER BY a.attnum))
        FROM pg_attribute AS a
        INNER JOIN pg_type AS t ON t.oid = a.atttypid
        WHERE
            a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            AND (
                a.attname = ANY({names}::text[]) OR a.attgenerated <> ''
                OR EXISTS (
                    SELECT FROM pg_enum AS l
                    WHERE l.enumtypid IN (t.oid, t.typbasetype, t.typelem)
                )
            )"""
"""Of `c`: the columns that the statements name, those that are computed, and those of an enum. All
values of a column are others, and no row is written, when another column gets its name, when it is
made again with a default (PostgreSQL docs, ALTER TABLE, Notes), when a virtual one is computed in
another way, or when a label of its enum is renamed, also of a domain or an
array of one."""
_MARKS = """
WITH RECURSIVE named AS (
    SELECT DISTINCT
        c.oid,
        format('"%s"."%s"', replace(s.nspname, '"', '""'), replace(c.relname, '"', '""')) AS root
    FROM unnest({schemas}::text[], {names}::text[]) AS n (schema, name)
    {named}
),

used AS (
    SELECT root, oid FROM named
    UNION
    SELECT used.root, below.oid
    FROM used, LATERAL ({below}) AS below
)

SELECT
    used.root,
    md5(string_agg(concat_ws(
        '/', c.oid,
        CASE WHEN c.relkind <> 'm' OR {files_of_matviews} THEN c.relfilenode END,
        CASE WHEN c.relkind = 'v' THEN (
            SELECT md5(r.ev_action::text) FROM pg_rewrite AS r
            WHERE r.ev_class = c.oid AND r.rulename = '_RETURN'
        ) END, ({columns})
    ), ' ' ORDER BY c.oid)) AS mark
FROM used
INNER JOIN pg_class AS c ON c.oid = used.oid
GROUP BY used.root
ORDER BY used.root
"""
"""A view's mark holds what it says and what it reads, that of a parent its partitions, that of a
table its columns."""


def marks(
    connection: Connection, statements: Iterable[str], what: str, *, files_of_matviews: bool
) -> dict[str, str]:
    """Quoted name of each table or view that the statements name → its mark.

    As the open transaction's snapshot sees them. A materialized view that is refreshed has another
    file: `files_of_matviews` = that counts. What functions read isn't seen.
    """
    names = sorted({name for sql in statements for name in names_in(sql)})
    query = _MARKS.format(
        schemas=literal([schema for schema, _ in names]),
        names=literal([name for _, name in names]),
        files_of_matviews=literal(files_of_matviews),
        named=NAMED,
        below=BELOW,
        columns=_COLUMNS.format(names=literal([name for _, name in names])),
    )
    found = arrow_reader.table(connection, query, what)
    rows = zip(found.column("root").to_pylist(), found.column("mark").to_pylist(), strict=True)
    return dict(rows)


def names_in(sql: str) -> set[tuple[str, str]]:
    """(schema, name) of all that may be a relation in a statement; "" = none is given. Aliases,
    columns and words of SQL are among them."""
    found = _NAMES.findall(NOT_CODE.sub(" ", sql))
    return {(_folded(a), _folded(b)) if b else ("", _folded(a)) for a, b in found}


def _folded(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def refuse_replaced(before: dict[str, str], after: dict[str, str], what: str) -> None:
    """Raise RetryableError when the marks that a snapshot saw aren't those of now."""
    if found := differing(before, after):
        raise RetryableError(
            f"{what}: {', '.join(found)} was emptied or replaced while it was read, as TRUNCATE or "
            f"ALTER TABLE do: what was read is dropped and read again"
        )


def differing(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Names whose mark isn't the same in both."""
    return sorted({name for name, _ in set(before.items()) ^ set(after.items())})

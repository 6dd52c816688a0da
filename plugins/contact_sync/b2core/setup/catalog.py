"""Read what a connected database has: its catalog, and some hundred rows of tables that matter.

Read only and bounded: short time-outs, at most `MOST_RELATIONS` relations, `SAMPLED` of them with
`SAMPLE_ROWS` rows and `SAMPLE_CHARACTERS` of each value. What fails is a note, not an end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from contact_sync.b2core.session import READ_ONLY, settings
from contact_sync.b2core.setup.tables import Catalog, Column, ForeignKey, Relation, quoted
from contact_sync.base.errors import B2CORE, ConfigError, SyncError
from contact_sync.postgres import arrow_reader
from contact_sync.postgres.arrow_reader import Connection

WHAT = B2CORE
STATEMENT_SECONDS = 20
MOST_RELATIONS = 2_000
SAMPLED = 60  # relations
FEW_VALUES = 50
SAMPLE_ROWS, SAMPLE_CHARACTERS, SAMPLE_COLUMNS = 300, 500, 100
_VISIBLE = f"""
    SELECT c.oid, s.nspname, c.relname, c.relkind, c.reltuples
    FROM pg_class AS c
    INNER JOIN pg_namespace AS s ON c.relnamespace = s.oid
    WHERE
        c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND NOT c.relispartition
        AND s.nspname NOT IN ('pg_catalog', 'information_schema')
        AND s.nspname !~ '^pg_(toast|temp)'
        AND has_schema_privilege(s.oid, 'USAGE')
        AND has_any_column_privilege(c.oid, 'SELECT')
        AND NOT EXISTS (
            SELECT FROM pg_depend AS d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
        )
    ORDER BY s.nspname, c.relname
    LIMIT {MOST_RELATIONS + 1}
"""
_RELATIONS = f"""
SELECT
    v.oid::bigint AS oid,
    v.nspname::text AS schema,
    v.relname::text AS name,
    v.relkind::text AS kind,
    v.reltuples::bigint AS row_count,
    ARRAY(
        SELECT a.attname::text FROM pg_attribute AS a
        WHERE
            a.attrelid = v.oid AND a.attnum > 0 AND NOT a.attisdropped
            AND NOT has_column_privilege(v.oid, a.attnum, 'SELECT')
        ORDER BY a.attnum
    ) AS hidden
FROM ({_VISIBLE}) AS v
"""
_COLUMNS = f"""
SELECT
    v.oid::bigint AS oid,
    a.attname::text AS name,
    format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL) AS type,
    coalesce(base.typcategory, t.typcategory)::text AS category,
    coalesce(base.typtype, t.typtype)::text AS kind,
    ARRAY(
        SELECT e.enumlabel::text FROM pg_enum AS e
        WHERE e.enumtypid = coalesce(base.oid, t.oid) ORDER BY e.enumsortorder
    ) AS labels,
    coalesce((
        SELECT s.most_common_vals::text::text[] FROM pg_stats AS s
        WHERE
            s.schemaname = v.nspname AND s.tablename = v.relname AND s.attname = a.attname
            AND s.inherited = (v.relkind = 'p') AND s.n_distinct BETWEEN 1 AND {FEW_VALUES}
    ), '{{}}') AS common
FROM ({_VISIBLE}) AS v
INNER JOIN pg_attribute AS a ON a.attrelid = v.oid AND a.attnum > 0 AND NOT a.attisdropped
INNER JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_type AS base ON base.oid = nullif(t.typbasetype, 0)
WHERE has_column_privilege(v.oid, a.attnum, 'SELECT')
ORDER BY v.oid, a.attnum
"""
_KEYS = f"""
SELECT
    v.oid::bigint AS oid,
    i.indisprimary AS is_primary,
    ARRAY(
        SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
        INNER JOIN pg_attribute AS a ON a.attrelid = v.oid AND a.attnum = k.attnum
        WHERE k.place <= i.indnkeyatts ORDER BY k.place
    ) AS columns
FROM ({_VISIBLE}) AS v
INNER JOIN pg_index AS i ON i.indrelid = v.oid
WHERE i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid
"""
_FOREIGN = f"""
SELECT
    v.oid::bigint AS oid,
    a.attname::text AS name,
    s.nspname::text AS schema,
    r.relname::text AS target_table,
    f.attname::text AS target
FROM ({_VISIBLE}) AS v
INNER JOIN pg_constraint AS c ON c.conrelid = v.oid AND c.contype = 'f'
INNER JOIN pg_attribute AS a ON a.attrelid = v.oid AND a.attnum = c.conkey[1]
INNER JOIN pg_class AS r ON r.oid = c.confrelid
INNER JOIN pg_namespace AS s ON s.oid = r.relnamespace
INNER JOIN pg_attribute AS f ON f.attrelid = c.confrelid AND f.attnum = c.confkey[1]
WHERE cardinality(c.conkey) = 1
ORDER BY v.oid, c.conname
"""


def read_catalog(
    dsn: str, priority: Callable[[Relation], float], schemas: Collection[str] = ()
) -> Catalog:
    """All that the role of the libpq URL may read (of these schemas, if any); those relations are
    sampled first whose `priority` is highest, and none whose priority is below zero.

    Raises ConfigError or RetryableError when the database can't be reached, and ConfigError when
    the role may read nothing.
    """
    connection = arrow_reader.open_connection(dsn, WHAT, seconds=STATEMENT_SECONDS + 30.0)
    try:
        relations, notes = _relations(connection)
        relations = [each for each in relations if not schemas or each.schema in schemas]
        wanted = sorted(
            (r for r in relations if priority(r) >= 0), key=lambda r: (-priority(r), str(r))
        )[:SAMPLED]
        sampled = {str(relation): _sampled(connection, relation, notes) for relation in wanted}
        connection.rollback(WHAT)
    finally:
        connection.close()
    return Catalog(tuple(sampled.get(str(each), each) for each in relations), tuple(notes))


def _relations(connection: Connection) -> tuple[list[Relation], list[str]]:
    found = _rows(connection, _RELATIONS)
    columns, keys, foreign = (
        _by_oid(_rows(connection, sql)) for sql in (_COLUMNS, _KEYS, _FOREIGN)
    )
    notes: list[str] = []
    if not found:
        raise ConfigError(
            f"{WHAT} shows no table to this role: grant it USAGE on the schema and SELECT on the "
            f"tables for now (the roles.sql that is written takes that back, to single columns)"
        )
    if len(found) > MOST_RELATIONS:
        notes.append(f"only the first {MOST_RELATIONS:,} tables were looked at, by name")
    return [
        Relation(
            row["schema"], row["name"], row["kind"], row["row_count"],
            tuple(
                Column(c["name"], c["type"], c["category"], c["kind"], tuple(c["labels"]),
                       common=tuple(c["common"]))
                for c in columns[row["oid"]]
            ),
            next((tuple(key["columns"]) for key in keys[row["oid"]] if key["is_primary"]), ()),
            tuple(key["columns"][0] for key in keys[row["oid"]] if len(key["columns"]) == 1),
            tuple(
                ForeignKey(f["name"], f["schema"], f["target_table"], f["target"])
                for f in foreign[row["oid"]]
            ),
            tuple(row["hidden"]),
        )
        for row in found[:MOST_RELATIONS]
    ], notes  # fmt: skip


def _by_oid(rows: Sequence[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    grouped: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[row["oid"]].append(row)
    return grouped


def _sampled(connection: Connection, relation: Relation, notes: list[str]) -> Relation:
    """The relation with samples in its columns; in a transaction of its own, since one that fails
    takes the others' with it."""
    taken = relation.columns[:SAMPLE_COLUMNS]
    listed = ", ".join(
        f"left({quoted(c.name)}::text, {SAMPLE_CHARACTERS}) AS c{n}" for n, c in enumerate(taken)
    )
    # An ordered sample would read everything; the first pages say enough of shapes.
    sql = f"SELECT {listed} FROM {relation.sql} LIMIT {SAMPLE_ROWS}"
    try:
        rows = _rows(connection, sql)
    except SyncError as error:
        notes.append(f"{relation} couldn't be sampled: {error}")
        return relation
    samples = [tuple(row[f"c{n}"] for row in rows) for n in range(len(taken))]
    columns = [replace(column, samples=given) for column, given in zip(taken, samples, strict=True)]
    return replace(relation, columns=(*columns, *relation.columns[SAMPLE_COLUMNS:]))


def _rows(connection: Connection, sql: str) -> Sequence[dict[str, Any]]:
    connection.rollback(WHAT)
    for statement in (READ_ONLY, settings(STATEMENT_SECONDS)):
        arrow_reader.execute(connection, statement, WHAT)
    rows: list[dict[str, Any]] = arrow_reader.table(connection, sql, WHAT).to_pylist()
    return rows

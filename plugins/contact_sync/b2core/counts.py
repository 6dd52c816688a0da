"""PostgreSQL's counts of what was written into the tables that the statements read.

Facts, measured on PostgreSQL 18 and as its docs say ("The Cumulative Statistics System"): a look
needs no right on the tables. A session hands its counts in when it is idle, once a second at most,
else after 10 seconds; a rolled back transaction counts, too. TRUNCATE counts nothing, but gives the
table another file. A standby counts nothing. So counts are read *before* the snapshot in which the
tables are read: what is committed between the two counts as moved the next time.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from contact_sync.b2core.replaced import BELOW, NAMED, names_in
from contact_sync.b2core.statements import read_statement
from contact_sync.b2core.union import selects_of
from contact_sync.base.source_look import LookWhy, SourceCounts, TableCounts
from contact_sync.postgres import arrow_reader
from contact_sync.postgres.arrow_reader import Connection
from contact_sync.postgres.literals import literal

SCAN, CHANGED = "scan", "changed"
"""Parts: scan.sql, and changed_xmin.sql's SELECTs as "changed 0", "changed 1" …"""
FUNCTIONS = (
    "pg_stat_get_tuples_inserted(oid)", "pg_stat_get_tuples_updated(oid)",
    "pg_stat_get_tuples_deleted(oid)", "pg_stat_get_db_stat_reset_time(oid)",
    "pg_stat_get_bgwriter_stat_reset_time()",
)  # fmt: skip
_REFUSED = """SELECT name FROM unnest({functions}::text[]) AS f (name)
WHERE NOT has_function_privilege(name, 'EXECUTE')
UNION ALL
SELECT name FROM unnest(ARRAY['pg_db_role_setting']) AS t (name)
WHERE NOT has_table_privilege('pg_catalog.' || name, 'SELECT')"""
CATALOGS = (
    *("pg_class", "pg_attribute", "pg_rewrite", "pg_inherits", "pg_namespace", "pg_policy"),
    *(
        "pg_proc",
        "pg_type",
        "pg_enum",
        "pg_attrdef",
        "pg_operator",
        "pg_cast",
        "pg_collation",
        "pg_constraint",
    ),
    *("pg_authid", "pg_auth_members", "pg_database", "pg_db_role_setting"),
)
"""What a statement means, and whether the role that reads may run it, is written in these."""
USABLE = f"""
    pg_is_in_recovery() AS standby,
    current_setting('track_counts')::bool AND NOT EXISTS (
        SELECT FROM pg_db_role_setting AS s, unnest(s.setconfig) AS o (setting)
        WHERE o.setting ILIKE 'track_counts=%' AND NOT split_part(o.setting, '=', 2)::bool
    ) AS counted,
    (
        SELECT concat_ws(
            ' ', pg_stat_get_db_stat_reset_time(d.oid), pg_stat_get_bgwriter_stat_reset_time()
        )
        FROM pg_database AS d WHERE d.datname = current_database()
    ) AS reset_at,
    (
        SELECT string_agg(concat_ws(
            '/', c.oid,
            pg_stat_get_tuples_inserted(c.oid), pg_stat_get_tuples_updated(c.oid),
            pg_stat_get_tuples_deleted(c.oid)
        ), ' ' ORDER BY c.oid)
        FROM unnest({literal(list(CATALOGS))}::regclass[]) AS c (oid)
    ) AS catalogs"""  # noqa: S608 ours
"""Columns. What is written into a catalog is counted as in any other table, in those of the whole
cluster, too; what VACUUM notes in place isn't."""
_COUNTS = """WITH RECURSIVE named AS (
    SELECT DISTINCT
        n.part,
        c.oid
    FROM unnest({parts}::text[], {schemas}::text[], {names}::text[]) AS n (part, schema, name)
    {named}
),

used AS (
    SELECT part, oid FROM named
    UNION
    SELECT used.part, below.oid
    FROM used, LATERAL ({below}) AS below
)

SELECT
    used.part,
    c.oid::bigint AS oid,
    s.nspname || '.' || c.relname AS name,
    c.relkind = 'f' AS is_foreign,
    c.relfilenode::bigint AS file,
    pg_stat_get_tuples_inserted(c.oid) AS inserted,
    pg_stat_get_tuples_updated(c.oid) AS updated,
    pg_stat_get_tuples_deleted(c.oid) AS deleted
FROM used
INNER JOIN pg_class AS c ON c.oid = used.oid
INNER JOIN pg_namespace AS s ON s.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'f')
ORDER BY used.part, c.oid
"""
_VIEWS = """SELECT pg_get_viewdef(c.oid) AS text
FROM unnest({schemas}::text[], {names}::text[]) AS n (schema, name)
{named}
    AND c.relkind = 'v'
"""
_OPEN_ANSWERS = """SELECT DISTINCT
    n.schema || CASE n.schema WHEN '' THEN '' ELSE '.' END || n.name AS name
FROM unnest({schemas}::text[], {names}::text[]) AS n (schema, name)
INNER JOIN pg_proc AS p ON p.proname = n.name
INNER JOIN pg_namespace AS s ON s.oid = p.pronamespace
WHERE
    CASE WHEN n.schema = '' THEN pg_function_is_visible(p.oid) ELSE s.nspname = n.schema END
    AND (
        s.nspname <> 'pg_catalog' OR p.provolatile = 'v'
        OR (p.provolatile = 's' AND (p.proname = ANY({clocks}::text[]) OR p.proname LIKE 'pg\\_%'))
    )
ORDER BY name
"""
_CLOCKS = ["now", "transaction_timestamp", "statement_timestamp", "age", "current_setting"]
_CLOCK_WORDS = re.compile(
    r"\b(?:current_date|current_time|current_timestamp|localtime|localtimestamp|current_user|"
    r"session_user|current_role)\b|'\s*(?:now|today|tomorrow|yesterday)\b[^']*'", re.IGNORECASE
)  # fmt: skip
_CALL = re.compile(r'((?:"[^"]+"|[^\W\d][\w$]*)(?:\s*\.\s*(?:"[^"]+"|[^\W\d][\w$]*))?)\s*\(')
MOST_VIEWS_DEEP = 10


def parts_of(folder: Path) -> dict[str, str]:
    """What is counted for by itself: part → its text, with parameters."""
    selects = selects_of(read_statement(folder, "changed_xmin"))
    changed = {f"{CHANGED} {number}": text for number, text in enumerate(selects)}
    return {SCAN: read_statement(folder, "scan"), **changed}


def read_counts(connection: Connection, texts: Mapping[str, str], what: str) -> SourceCounts:
    """The counts of the tables that the statements name, by part; `unusable` if they say nothing.

    In a transaction of its own, before the snapshot.
    """
    asking = counting(texts)
    query = next(asking)
    while True:
        rows = arrow_reader.table(connection, query, what).to_pylist()
        try:
            query = asking.send(rows)
        except StopIteration as end:
            return cast(SourceCounts, end.value)


def counting(texts: Mapping[str, str]) -> Generator[str, list[dict[str, Any]], SourceCounts]:
    """The same for whoever has another driver: gives each query, and is sent its rows."""
    if refused := (yield _REFUSED.format(functions=literal(list(FUNCTIONS)))):
        names = ", ".join(row["name"] for row in refused)
        return SourceCounts(unusable=(LookWhy.NO_PRIVILEGE, names))
    (state,) = yield f"SELECT {USABLE}"
    if state["standby"]:
        return SourceCounts(unusable=(LookWhy.STANDBY, ""))
    if not state["counted"]:
        return SourceCounts(unusable=(LookWhy.NOT_COUNTED, ""))
    rows = yield _counts_query(texts)
    return replace(_counts(rows, texts, state["reset_at"]), catalogs=state["catalogs"])


def _counts_query(texts: Mapping[str, str]) -> str:
    named = [(part, *name) for part, text in texts.items() for name in sorted(names_in(text))]
    return _COUNTS.format(
        parts=literal([part for part, _, _ in named]),
        schemas=literal([schema for _, schema, _ in named]),
        names=literal([name for _, _, name in named]),
        named=NAMED,
        below=BELOW,
    )


def _counts(rows: list[dict[str, Any]], texts: Mapping[str, str], reset_at: str) -> SourceCounts:
    parts: dict[str, list[int]] = {part: [] for part in texts}
    tables: dict[int, TableCounts] = {}
    foreign = sorted({row["name"] for row in rows if row.pop("is_foreign")})
    for row in rows:
        parts[row.pop("part")].append(oid := row.pop("oid"))
        tables[oid] = TableCounts(**row)
    if foreign or not all(parts.values()):
        names = foreign or sorted(part for part, oids in parts.items() if not oids)
        return SourceCounts(unusable=(LookWhy.OTHER_TABLES, ", ".join(names)))
    return SourceCounts(parts, tables, reset_at)


def judged(
    counts: SourceCounts, connection: Connection, texts: Mapping[str, str], what: str
) -> SourceCounts:
    """The same, unusable if a statement may answer something else although no table was written."""
    seen = list(_with_views(connection, texts.values(), what))
    calls = sorted({name for text in seen for name in _calls(text)})
    query = _OPEN_ANSWERS.format(
        schemas=literal([schema for schema, _ in calls]),
        names=literal([name for _, name in calls]),
        clocks=literal(_CLOCKS),
    )
    found = arrow_reader.table(connection, query, what).column("name").to_pylist()
    # Of changed_xmin.sql age() is of a transaction, and its answer is what is asked for.
    only_scan = list(_with_views(connection, [texts[SCAN]], what))
    if "age" in found and not any(("", "age") in _calls(text) for text in only_scan):
        found.remove("age")
    found += sorted({word.lower() for text in seen for word in _CLOCK_WORDS.findall(text)})
    return replace(counts, unusable=(LookWhy.FUNCTIONS, ", ".join(found))) if found else counts


def _with_views(connection: Connection, texts: Iterable[str], what: str) -> Iterable[str]:
    """The statements, and what the views say that they name, however deep."""
    coming, seen = list(texts), set[str]()
    for _ in range(MOST_VIEWS_DEEP):
        seen.update(coming)
        names = sorted({name for text in coming for name in names_in(text)})
        query = _VIEWS.format(
            schemas=literal([schema for schema, _ in names]),
            names=literal([name for _, name in names]),
            named=NAMED,
        )
        views = arrow_reader.table(connection, query, what).column("text").to_pylist()
        coming = [text for text in views if text not in seen]
        if not coming:
            break
    return sorted(seen)


def _calls(text: str) -> set[tuple[str, str]]:
    """(schema, name) of all that stands before a parenthesis."""
    without = re.sub(r"--[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL)
    return {name for call in _CALL.findall(without) for name in names_in(call)}

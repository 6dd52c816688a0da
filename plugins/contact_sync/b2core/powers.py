"""What the role that reads B2CORE may do besides reading: for `validate --connect`.

A run only reads, whatever its role may; a role that may more is a danger if its password gets out.
"""

from __future__ import annotations

from typing import Any

from contact_sync.base.findings import Area, Finding, Judgement
from contact_sync.base.numbers import count
from contact_sync.postgres import arrow_reader
from contact_sync.postgres.arrow_reader import Connection

QUERY = """
WITH own AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname <> 'information_schema' AND NOT starts_with(nspname, 'pg_')
),

tables AS (
    SELECT format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class AS c JOIN own AS n ON n.oid = c.relnamespace
    WHERE
        c.relkind IN ('r', 'p', 'v', 'f')
        AND has_schema_privilege(n.oid, 'USAGE')
        AND (
            has_any_column_privilege(c.oid, 'INSERT, UPDATE')
            OR has_table_privilege(c.oid, 'DELETE, TRUNCATE, TRIGGER')
        )
),

functions AS (
    SELECT format('%I.%I', n.nspname, p.proname) AS name
    FROM pg_proc AS p JOIN own AS n ON n.oid = p.pronamespace
    WHERE
        p.prosecdef
        AND has_schema_privilege(n.oid, 'USAGE')
        AND has_function_privilege(p.oid, 'EXECUTE')
        AND NOT EXISTS (
            SELECT 1 FROM pg_depend AS d
            WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
        )
)

SELECT
    r.rolsuper,
    r.rolcreatedb OR r.rolcreaterole OR r.rolreplication AS administers,
    (SELECT count(*) FROM tables) AS writable,
    (SELECT min(name) FROM tables) AS writable_one,
    (SELECT count(*) FROM functions) AS functions,
    (SELECT min(name) FROM functions) AS functions_one,
    (SELECT min(nspname) FROM own WHERE has_schema_privilege(oid, 'CREATE')) AS creates_in,
    has_database_privilege(current_database(), 'TEMPORARY') AS temporary,
    has_function_privilege('pg_catalog.lo_create(oid)', 'EXECUTE') AS large_objects,
    (
        SELECT count(*) FROM pg_database AS d
        WHERE
            d.datallowconn AND NOT d.datistemplate AND d.datname <> current_database()
            AND has_database_privilege(d.oid, 'CONNECT')
    ) AS databases
FROM pg_roles AS r WHERE r.rolname = current_user
"""
FIX = "connect as the role of roles.sql, or take that from this one"


def role_finding(connection: Connection, what: str) -> Finding:
    """One finding: a warning if the role may change anything of B2CORE's, else what every role of
    this server may, because it is granted to PUBLIC."""
    (row,) = arrow_reader.table(connection, QUERY, what).to_pylist()
    too_much = _too_much(row)
    if too_much:
        said = f"the role that reads may more than read: it {', and it '.join(too_much)}"
        return Finding(Area.B2CORE, "role", Judgement.WARNING, said, FIX)
    everybody = _everybody(row)
    more = f"; as every role here it may {', '.join(everybody)}" if everybody else ""
    return Finding(Area.B2CORE, "role", Judgement.OK, f"it changes nothing of B2CORE's{more}")


def _too_much(row: dict[str, Any]) -> list[str]:
    if row["rolsuper"]:
        return ["is a superuser"]
    found = {
        "may make databases, make roles or replicate": row["administers"],
        f"may write {count(row['writable'], 'table')}, such as {row['writable_one']}": row[
            "writable"
        ],
        f"may make objects in the schema {row['creates_in']}": row["creates_in"],
        f"may call {count(row['functions'], 'function')} with their owners' rights (SECURITY "
        f"DEFINER), "
        f"such as {row['functions_one']}": row["functions"],
    }
    return [words for words, is_so in found.items() if is_so]


def _everybody(row: dict[str, Any]) -> list[str]:
    found = {
        "make temporary tables": row["temporary"],
        "make large objects": row["large_objects"],
        f"connect to {row['databases']:,} other databases": row["databases"],
    }
    return [words for words, is_so in found.items() if is_so]

"""Write roles.sql: the role that reads, with SELECT on the columns that the statements name. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from contact_sync.b2core.setup import finding
from contact_sync.b2core.setup.joins import indented, separated
from contact_sync.b2core.setup.parts import Proposal, Value
from contact_sync.b2core.setup.tables import XMIN_KINDS, Relation, quoted
from contact_sync.b2core.setup.write_sql import statement

ROLE = "contact_sync_reader"
HEAD = f"""\
-- Purpose:    the role that the sync reads the clients' database with, for its administrator. May be run again.
-- Parameters: none; run it in that database:  psql --single-transaction --file roles.sql <database>
-- Password:   the role has none and cannot log in until you give it one:  \\password {ROLE}
-- The role may read exactly the columns that this folder's statements name. To re-point the statements to other
-- tables, views or columns, change the last GRANTs with them. What was granted besides for the sake of `init`
-- stays, save on the tables that are named here: take it back.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '{ROLE}') THEN
        CREATE ROLE {ROLE};
    END IF;
    -- Only what the role has is taken from it: to an administrator who is no superuser, as on managed servers, the
    -- words alone are refused. BYPASSRLS stays as it is: tables with row-level security can't be read without it.
    IF EXISTS (
        SELECT FROM pg_catalog.pg_roles
        WHERE rolname = '{ROLE}' AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication)
    ) THEN
        ALTER ROLE {ROLE} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO {ROLE}', current_database());
END
$$;

ALTER ROLE {ROLE} LOGIN NOINHERIT CONNECTION LIMIT 20;

-- Comfort, not protection: a session may change these. What protects is that nothing but SELECT is granted.
ALTER ROLE {ROLE} SET default_transaction_read_only = on;
ALTER ROLE {ROLE} SET statement_timeout = '30min';
ALTER ROLE {ROLE} SET lock_timeout = '10s';
ALTER ROLE {ROLE} SET idle_in_transaction_session_timeout = '5min';
"""


def roles_sql(found: Proposal) -> str:
    """For the database's administrator."""
    used = columns_used(found)
    schemas = sorted({relation.schema for relation in found.relations})
    lines = [f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {ROLE};" for schema in schemas]
    tables = separated([relation.sql for relation in found.relations], ",")
    lines += ["-- What was granted before, such as whole tables.", "REVOKE SELECT ON TABLE", *tables,
              f"FROM {ROLE};", "", "-- xmin: only for changed_xmin.sql."]  # fmt: skip
    for relation in found.relations:
        names = [quoted(name) for name in used[str(relation)]]
        names += ["xmin"] if relation.kind in XMIN_KINDS else []
        lines += ["GRANT SELECT (", *indented(separated(names, ","), 1),
                  f") ON TABLE {relation.sql} TO {ROLE};"]  # fmt: skip
    return statement([HEAD, *lines])


def columns_used(found: Proposal) -> dict[str, list[str]]:
    """Relation → the columns that the statements name."""
    used: dict[str, set[str]] = {str(relation): set() for relation in found.relations}
    used[str(found.clients)].add(found.key.column.name)
    _walk(used, found.clients, found.own)
    for child in found.children:
        used[str(child.relation)].add(child.client.name)
        _walk(used, child.relation, found.of_child(child))
    for relation in found.relations:
        updated = finding.moment(relation, "updated")
        if updated:
            used[str(relation)].add(updated.name)
    return {name: sorted(columns) for name, columns in used.items()}


def _walk(used: dict[str, set[str]], relation: Relation, values: Iterable[Value]) -> None:
    for value in values:
        here = relation
        for hop in value.hops:
            used[str(here)].add(hop.column)
            used[str(hop.relation)].add(hop.key)
            here = hop.relation
        used[str(here)].add(value.column.name)

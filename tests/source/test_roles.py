"""Least privilege: exactly what each role of roles.sql is granted, and what it can't reach."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from contact_sync.b2core.setup import write_roles
from contact_sync.base.paths import INCLUDE
from contact_sync.state.migrate import migrate
from local.postgres.server import Cluster
from tests.support import source_statements

PASSWORD = "only for the tests of roles"
ROLES = INCLUDE / "sql" / "state" / "roles.sql"
READERS = (INCLUDE / "sql" / "b2core" / "roles.sql").read_text(encoding="utf-8")
READ = {
    "clients": "id email first_name last_name status_id client_type_id verification_level_id "
               "jurisdiction_id created_at updated_at xmin",
    "client_phones": "id client_id phone confirmed updated_at xmin",
    "client_addresses": "id client_id type country_id city state postal_code line1 line2 "
                        "updated_at xmin",
    "client_statuses": "id name xmin",
    "client_types": "id name xmin",
    "verification_levels": "id caption xmin",
    "jurisdictions": "id caption xmin",
    "countries": "id code name xmin",
}  # fmt: skip
COLUMNS = [f"{table}.{column}" for table, columns in READ.items() for column in columns.split()]

GRANTS = """
SELECT n.nspname || '.' || c.relname AS name, a.privilege_type
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN aclexplode(c.relacl) AS a
WHERE a.grantee = %(role)s::regrole
UNION ALL
SELECT n.nspname || '.' || c.relname || '.' || t.attname, a.privilege_type
FROM pg_attribute AS t
JOIN pg_class AS c ON c.oid = t.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN aclexplode(t.attacl) AS a
WHERE a.grantee = %(role)s::regrole
UNION ALL
SELECT 'schema ' || nspname, a.privilege_type
FROM pg_namespace CROSS JOIN aclexplode(nspacl) AS a
WHERE a.grantee = %(role)s::regrole AND nspowner <> %(role)s::regrole
UNION ALL
SELECT 'function ' || proname, a.privilege_type
FROM pg_proc CROSS JOIN aclexplode(proacl) AS a
WHERE a.grantee = %(role)s::regrole
UNION ALL
SELECT 'database ' || datname, a.privilege_type
FROM pg_database CROSS JOIN aclexplode(datacl) AS a
WHERE a.grantee = %(role)s::regrole AND datname = current_database()
UNION ALL
SELECT 'member of ' || roleid::regrole, 'MEMBER'
FROM pg_auth_members WHERE member = %(role)s::regrole
"""
POWERS = """
SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls OR rolinherit
FROM pg_roles WHERE rolname = %s
"""


@pytest.fixture(scope="module")
def state(cluster: Cluster) -> Iterator[psycopg.Connection]:
    """A migrated state database, as the role that the sync uses."""
    url = cluster.create_database("state_of_roles")
    with psycopg.connect(url, autocommit=True) as administrator:
        for _twice in range(2):
            administrator.execute(ROLES.read_bytes())
        administrator.execute(
            sql.SQL("ALTER ROLE contact_sync_state PASSWORD {}").format(sql.Literal(PASSWORD))
        )
        administrator.execute("CREATE TABLE public.others (id integer)")
    own = cluster.url("state_of_roles", user="contact_sync_state", password=PASSWORD)
    migrate(own)
    with psycopg.connect(own, autocommit=True) as opened:
        yield opened


def grants(connection: psycopg.Connection, role: str) -> set[tuple[str, str]]:
    """Everything that is granted to the role itself, without what it owns."""
    return {
        (str(name), str(privilege))
        for name, privilege in connection.execute(GRANTS, {"role": role}).fetchall()
    }


def test_the_reader_has_exactly_these_grants(connection: psycopg.Connection) -> None:
    """SELECT on the columns of the contract, the way to them, and no role besides."""
    assert grants(connection, "contact_sync_reader") == {
        *((f"b2core.{column}", "SELECT") for column in COLUMNS),
        ("schema b2core", "USAGE"),
        ("database b2core", "CONNECT"),
    }
    limit = "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'contact_sync_reader'"
    assert connection.execute(limit).fetchone() == (20,)
    assert connection.execute(POWERS, ["contact_sync_reader"]).fetchone() == (False,)
    owned = "SELECT count(*) FROM pg_class WHERE relowner = 'contact_sync_reader'::regrole"
    assert connection.execute(owned).fetchone() == (0,)


def statements(connection: psycopg.Connection) -> list[str]:
    """All statements of the source, with any parameters."""
    given: dict[str, dict[str, Any]] = {
        "clients": source_statements.ALL, "scan": {}, "changed_xmin": {"horizon": "3"},
        "changed_updated_at": {"since": "2000-01-01"}, "explain": {"client_id": 1},
    }  # fmt: skip
    return [source_statements.literal(name, connection, **p) for name, p in given.items()]


@pytest.mark.parametrize("column", COLUMNS)
def test_the_reader_needs_each_column_that_it_may_read(
    connection: psycopg.Connection, column: str
) -> None:
    """Without it one of the statements is refused."""
    table, name = column.split(".")
    refused = 0
    for statement in statements(connection):
        with connection.transaction(force_rollback=True):
            connection.execute(
                sql.SQL("REVOKE SELECT ({}) ON b2core.{} FROM contact_sync_reader").format(
                    sql.Identifier(name), sql.Identifier(table)
                )
            )
            connection.execute("SET LOCAL ROLE contact_sync_reader")
            try:
                connection.execute(b"EXPLAIN " + statement.encode())
            except errors.InsufficientPrivilege:
                refused += 1
    assert refused


SERVER = [
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY (SELECT 1) TO '/tmp/contact_sync_reader'",
    "CREATE TEMPORARY TABLE copied (line text); COPY copied FROM PROGRAM 'id'",
    "CREATE TEMPORARY TABLE copied (line text); COPY copied FROM '/etc/passwd'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT pg_stat_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT rolpassword FROM pg_authid",
    "SELECT pg_reload_conf()",
    "ALTER SYSTEM SET log_statement = 'all'",
    "CREATE EXTENSION dblink",
    "CREATE SCHEMA mine",
    "CREATE ROLE mine",
    "CREATE DATABASE mine",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "ALTER ROLE postgres PASSWORD 'mine'",
    "CREATE FUNCTION public.mine() RETURNS integer LANGUAGE sql RETURN 1",
]


@pytest.mark.parametrize("statement", SERVER)
def test_the_reader_gets_no_hold_of_the_server(reader: psycopg.Connection, statement: str) -> None:
    """Files, programs, other roles and new objects; also without its read-only default."""
    reader.execute("SET default_transaction_read_only = off")
    with pytest.raises((errors.InsufficientPrivilege, errors.FeatureNotSupported)):
        reader.execute(statement)


@pytest.mark.parametrize("statement", [*SERVER, "SELECT FROM public.others",
                                       "CREATE TABLE public.mine (id integer)"])  # fmt: skip
def test_the_state_role_gets_no_hold_of_the_server(
    state: psycopg.Connection, statement: str
) -> None:
    """Nor of what others have in the same database."""
    with pytest.raises((errors.InsufficientPrivilege, errors.FeatureNotSupported)):
        state.execute(statement)
    state.execute("DROP TABLE IF EXISTS pg_temp.copied")


def test_the_state_role_owns_its_schema_and_nothing_else(state: psycopg.Connection) -> None:
    """All that the migrations make is in there; the script may be run again."""
    assert state.execute(POWERS, ["contact_sync_state"]).fetchone() == (False,)
    for setting in ("log_parameter_max_length", "log_parameter_max_length_on_error"):
        assert state.execute("SELECT current_setting(%s)", [setting]).fetchone() == ("0",)
    assert grants(state, "contact_sync_state") == {("database state_of_roles", "CONNECT")}
    found = state.execute(
        "SELECT DISTINCT relnamespace::regnamespace::text FROM pg_class"
        " WHERE relowner = 'contact_sync_state'::regrole"
        " AND relnamespace::regnamespace::text NOT LIKE 'pg_%'"
    ).fetchall()
    assert found == [("contact_sync",)]
    owner = "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'contact_sync'"
    assert state.execute(owner).fetchone() == ("contact_sync_state",)


def test_the_state_role_cannot_read_b2core(
    state: psycopg.Connection, cluster: Cluster, b2core: str
) -> None:
    """Not even when both are on one server."""
    assert b2core
    url = cluster.url("b2core", user="contact_sync_state", password=PASSWORD)
    with (
        psycopg.connect(url) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute("SELECT FROM b2core.clients")


MANAGED = """
DROP ROLE IF EXISTS administrator;
CREATE ROLE administrator CREATEDB CREATEROLE;
GRANT CREATE ON DATABASE {database} TO administrator WITH GRANT OPTION;
GRANT CONNECT ON DATABASE {database} TO administrator WITH GRANT OPTION;
SET ROLE administrator"""


@pytest.mark.parametrize(
    ("text", "role"),
    [
        (ROLES.read_text(encoding="utf-8"), "contact_sync_state"),
        (READERS.partition("GRANT USAGE")[0], "contact_sync_reader"),
        (write_roles.HEAD, "contact_sync_reader"),
    ],
    ids=["state", "b2core", "init"],
)
def test_an_administrator_who_is_no_superuser_can_run_it_twice(
    cluster: Cluster, text: str, role: str
) -> None:
    """As on managed servers. The role that it makes has no power, and the administrator isn't left
    in it; BYPASSRLS, which a superuser has given to a reader, stays."""
    mine = text.replace(role, f"managed_{role}")
    with psycopg.connect(cluster.create_database("managed")) as connection:
        connection.execute(MANAGED.format(database="managed"))
        connection.execute(mine)
        connection.execute("RESET ROLE")
        assert connection.execute(POWERS, [f"managed_{role}"]).fetchone() == (False,)
        member = "SELECT pg_has_role('administrator', %s, 'USAGE')"
        assert connection.execute(member, [f"managed_{role}"]).fetchone() == (False,)
        reads = role.endswith("reader")
        if reads:
            connection.execute(f"ALTER ROLE managed_{role} BYPASSRLS")
        connection.execute("SET ROLE administrator")
        connection.execute(mine)
        assert connection.execute(POWERS, [f"managed_{role}"]).fetchone() == (reads,)
        connection.rollback()
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE managed")


@pytest.mark.parametrize(
    "roles", sorted(INCLUDE.glob("sql/*/roles.sql")), ids=lambda p: p.parent.name
)
def test_no_password_is_in_a_shipped_file(roles: Path) -> None:
    """It is given by a person, and is in no log of statements that we caused."""
    assert "PASSWORD '" not in roles.read_text(encoding="utf-8")

"""What the reader may do besides reading: what `validate --connect` says of it, and what only the
administrator can take from every role of the server (docs/security.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import errors

from contact_sync.b2core.reader import B2Core
from contact_sync.base.findings import Finding, Judgement
from contact_sync.base.paths import INCLUDE
from tests.support.airflow_home import ROOT

DEFINER = """CREATE FUNCTION b2core.danger() RETURNS void LANGUAGE sql SECURITY DEFINER
             AS 'DELETE FROM b2core.clients'"""
POWERS = [
    ("GRANT UPDATE ON b2core.clients TO contact_sync_reader",
     "REVOKE UPDATE ON b2core.clients FROM contact_sync_reader",
     "it may write 1 table, such as b2core.clients"),
    ("GRANT INSERT (email) ON b2core.clients TO PUBLIC",
     "REVOKE INSERT (email) ON b2core.clients FROM PUBLIC",
     "it may write 1 table, such as b2core.clients"),
    ("GRANT TRUNCATE ON b2core.countries TO contact_sync_reader",
     "REVOKE TRUNCATE ON b2core.countries FROM contact_sync_reader",
     "it may write 1 table, such as b2core.countries"),
    ("GRANT CREATE ON SCHEMA public TO contact_sync_reader",
     "REVOKE CREATE ON SCHEMA public FROM contact_sync_reader",
     "it may make objects in the schema public"),
    (DEFINER, "DROP FUNCTION b2core.danger",
     "it may call 1 function with their owners' rights (SECURITY DEFINER), such as b2core.danger"),
    ("ALTER ROLE contact_sync_reader CREATEROLE", "ALTER ROLE contact_sync_reader NOCREATEROLE",
     "it may make databases, make roles or replicate"),
    ("ALTER ROLE contact_sync_reader SUPERUSER", "ALTER ROLE contact_sync_reader NOSUPERUSER",
     "it is a superuser"),
]  # fmt: skip
TAKEN = {
    "CREATE TEMPORARY TABLE mine (id integer)": "temporary tables",
    "SELECT lo_create(0)": "large objects",
    "SELECT lo_creat(-1)": "large objects",
    "SELECT lo_from_bytea(0, 'x')": "large objects",
}
NEVER_TAKEN = ["NOTIFY anyone", "SELECT pg_advisory_xact_lock(1)", "SELECT relname FROM pg_class"]
GIVEN_BACK = """
GRANT TEMPORARY ON DATABASE b2core TO PUBLIC;
GRANT EXECUTE ON FUNCTION lo_create(oid), lo_creat(integer), lo_from_bytea(oid, bytea) TO PUBLIC;
GRANT CONNECT ON DATABASE postgres TO PUBLIC"""


def said(reader: psycopg.Connection) -> Finding:
    """What the checklist says of the role."""
    dsn = f"postgresql://{reader.info.user}:{reader.info.password}@127.0.0.1:{reader.info.port}"
    folder = INCLUDE / "sql" / "b2core"
    with B2Core(f"{dsn.replace(' ', '%20')}/b2core", folder, 60).snapshot() as snapshot:
        return snapshot.role()


def test_the_role_of_roles_sql_changes_nothing(reader: psycopg.Connection) -> None:
    """What it may all the same is told, because it is granted to everybody."""
    found = said(reader)
    assert found.judgement is Judgement.OK
    assert "as every role here it may make temporary tables, make large objects" in found.text


def test_each_power_to_change_something_is_told(
    connection: psycopg.Connection, reader: psycopg.Connection
) -> None:
    """Of tables and columns, to everybody, by functions; with the fix."""
    for give, take, words in POWERS:
        connection.execute(give.encode())
        try:
            found = said(reader)
        finally:
            connection.execute(take.encode())
        assert (found.judgement, words in found.text) == (Judgement.WARNING, True), found.text
        assert "roles.sql" in found.fix


@contextmanager
def documented_revokes(connection: psycopg.Connection) -> Iterator[None]:
    """Run what docs/security.md says an administrator may take from every role."""
    text = " ".join((ROOT / "docs" / "security.md").read_text().split())
    told = re.findall(r"`(REVOKE [^`]*)`", text.replace("DATABASE …", "DATABASE postgres"))
    revokes = [revoke for revoke in told if "…" not in revoke]  # not those with names of one's own
    assert len(revokes) == 3
    try:
        for revoke in revokes:
            connection.execute(revoke.encode())
        yield
    finally:
        connection.execute(GIVEN_BACK.encode())


def connect_to_another(reader: psycopg.Connection) -> None:
    """Another database of the same server."""
    psycopg.connect(reader.info.dsn, dbname="postgres", password=reader.info.password).close()


def test_what_the_documents_take_from_every_role_is_gone_then(
    connection: psycopg.Connection, reader: psycopg.Connection
) -> None:
    """Temporary tables, large objects, other databases; the rest can't be taken, as they say."""
    reader.execute("SET default_transaction_read_only = off")
    for statement in TAKEN:
        with reader.transaction(force_rollback=True):
            reader.execute(statement.encode())
    connect_to_another(reader)
    with documented_revokes(connection):
        for statement in TAKEN:
            with pytest.raises(errors.InsufficientPrivilege):
                reader.execute(statement.encode())
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            connect_to_another(reader)
        for statement in NEVER_TAKEN:
            reader.execute(statement.encode())
        assert not any(what in said(reader).text for what in TAKEN.values())

"""The role of roles.sql: it can read what the statements name, and do nothing else."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from local.b2core_demo import create_reader
from local.b2core_demo.rows import add_address, add_client, add_phone
from tests.support import source_statements


def test_reads_everything_that_the_statements_need(
    connection: psycopg.Connection, reader: psycopg.Connection
) -> None:
    client = add_client(connection)
    add_phone(connection, client, "+1")
    add_address(connection, client)
    assert [row["client_id"] for row in source_statements.clients(reader)] == [client]
    assert source_statements.ids("scan", reader) == [client]
    assert source_statements.ids("changed_xmin", reader, horizon="3") == [client]
    assert source_statements.ids("changed_updated_at", reader, since="2000-01-01") == [client]


FORBIDDEN = [
    "INSERT INTO b2core.clients (email) VALUES ('a@example.com')",
    "UPDATE b2core.clients SET email = ''",
    "UPDATE b2core.client_statuses SET name = ''",
    "DELETE FROM b2core.client_phones",
    "TRUNCATE b2core.client_addresses",
    "DROP TABLE b2core.countries",
    "CREATE TABLE b2core.mine (id integer)",
    "CREATE TABLE public.mine (id integer)",
    "SELECT FROM b2core.secrets",
    "SELECT idx FROM b2core.verification_levels",
    "CREATE ROLE other",
    "CREATE DATABASE other",
    "COPY b2core.clients TO PROGRAM 'true'",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT rolpassword FROM pg_authid",
    "SELECT FROM b2core.clients FOR UPDATE",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_may_do_nothing_else_even_if_it_leaves_read_only_mode(
    connection: psycopg.Connection, reader: psycopg.Connection, statement: str
) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS b2core.secrets (id integer)")
    with pytest.raises((errors.ReadOnlySqlTransaction, errors.InsufficientPrivilege)):
        reader.execute(statement)
    reader.execute("SET default_transaction_read_only = off")
    with pytest.raises(errors.InsufficientPrivilege):
        reader.execute(statement)
    connection.execute("DROP TABLE b2core.secrets")


def test_has_no_powers_and_has_limits(
    connection: psycopg.Connection, reader: psycopg.Connection
) -> None:
    powers = connection.execute(
        "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls"
        " FROM pg_roles WHERE rolname = 'contact_sync_reader'"
    ).fetchone()
    assert powers == (False,)
    for setting, value in {
        "default_transaction_read_only": "on",
        "statement_timeout": "30min",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "5min",
    }.items():
        assert reader.execute("SELECT current_setting(%s)", [setting]).fetchone() == (value,)


def test_can_be_applied_again_and_changes_the_password(
    b2core: str, cluster: object, reader: psycopg.Connection
) -> None:
    wrong = reader.info.dsn + " password=wrong"
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(wrong)
    create_reader(b2core, reader.info.password)
    psycopg.connect(reader.info.dsn, password=reader.info.password).close()

"""N: which errors of the state database pass by themselves, and which need a person."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import adbc_driver_manager
import adbc_driver_postgresql
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from contact_sync.base.errors import ConfigError, RetryableError, SyncError
from contact_sync.postgres.arrow_reader import BOUNDS
from contact_sync.postgres.faults import meaning
from contact_sync.run import in_one_process
from contact_sync.state.database import StateDatabase, connect
from local.postgres.server import Cluster
from tests.support.world import World

pytestmark = pytest.mark.own_connections

READERS = pytest.mark.parametrize("reads", [False, True], ids=["psycopg", "adbc"])


def ask(url: str, *, reads: bool) -> None:
    """Open a connection by either driver and ask something."""
    state = StateDatabase(url)
    if reads:
        with state.reader():
            return
    with state.transaction() as cursor:
        cursor.execute("SELECT 1")


@READERS
@pytest.mark.parametrize(
    ("part", "wrong"), [("password", "other"), ("username", "no_such_role"), ("path", "no_such_db")]
)
def test_N05_a_refused_login_is_told_at_once(
    world: World, part: str, wrong: str, *, reads: bool
) -> None:
    """As a fault of the connection, without the password."""
    right = urlsplit(world.state_url)
    old = right.path.strip("/") if part == "path" else str(getattr(right, part))
    with pytest.raises(ConfigError, match="refused the login") as raised:
        ask(world.state_url.replace(old, wrong), reads=reads)
    assert wrong not in str(raised.value) or part == "path"


@READERS
def test_N05_a_certificate_that_no_one_vouches_for_is_told_at_once(
    world: World, *, reads: bool
) -> None:
    """The tests' server has no TLS at all."""
    query = "sslmode=verify-full&sslrootcert=system"
    mark = "&" if "?" in world.state_url else "?"
    with pytest.raises(ConfigError, match="TLS failed"):
        ask(f"{world.state_url}{mark}{query}", reads=reads)


@READERS
def test_N05_no_server_is_passing(reads: bool) -> None:
    """As while it restarts."""
    with pytest.raises(RetryableError, match="can't be reached"):
        ask("postgresql://someone@127.0.0.1:1/nowhere", reads=reads)


def test_N05_both_drivers_notice_a_server_that_is_gone_without_a_word(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keep-alives, of either database; what a connection says itself stays."""
    opened: list[str] = []
    connect_by_adbc = adbc_driver_postgresql.connect

    def note(dsn: str) -> adbc_driver_manager.AdbcDatabase:
        opened.append(dsn)
        found: adbc_driver_manager.AdbcDatabase = connect_by_adbc(dsn)
        return found

    monkeypatch.setattr(adbc_driver_postgresql, "connect", note)
    with world.sync() as sync:
        with sync.state.reader(), sync.b2core.snapshot():
            pass
        with sync.state.transaction() as cursor:
            told: list[dict[str, Any]] = [
                cursor.connection.info.get_parameters(),
                *map(conninfo_to_dict, opened),
            ]
    assert len(told) == 3
    assert all(BOUNDS.items() <= each.items() for each in told)
    own = f"{world.state_url}?keepalives_idle=7"
    with connect(own, psycopg.Connection) as connection:
        assert connection.info.get_parameters()["keepalives_idle"] == "7"


def test_N05_a_server_left_behind_by_a_fail_over_is_passing(
    world: World, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lets nobody write (25006); afterwards the next run goes on."""
    monkeypatch.setattr(in_one_process, "READ_PAUSE", 0.0)
    world.seed()
    role = sql.Identifier(str(urlsplit(world.state_url).username))
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as admin:
        alter = sql.SQL("ALTER ROLE {} SET default_transaction_read_only = {}")
        admin.execute(alter.format(role, sql.SQL("on")))
        try:
            with pytest.raises(RetryableError, match=r"read-only.*fail-over"):
                world.run()
        finally:
            admin.execute(alter.format(role, sql.SQL("off")))
    assert world.run()["state"] == "succeeded"


def test_N05_a_kept_connection_that_the_server_ended_is_replaced(world: World) -> None:
    """Between two transactions of a run, as by a fail-over: no one notices."""
    state = StateDatabase(world.state_url)
    with state.keeping_connections():
        with state.transaction() as cursor:
            first = cursor.execute("SELECT pg_backend_pid() AS pid").fetchall()
        with state.transaction() as cursor:
            assert cursor.execute("SELECT pg_backend_pid() AS pid").fetchall() == first
        with StateDatabase(world.state_url).transaction() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [first[0]["pid"]])
        with state.transaction() as cursor:
            assert cursor.execute("SELECT pg_backend_pid() AS pid").fetchall() != first


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("08006", RetryableError), ("25006", RetryableError), ("40P01", RetryableError),
        ("53300", RetryableError), ("55P03", RetryableError), ("57P01", RetryableError),
        ("57P03", RetryableError), ("58030", RetryableError), ("28P01", ConfigError),
        ("3D000", ConfigError), ("42501", ConfigError), ("42P01", ConfigError),
    ],
)  # fmt: skip
def test_N05_each_kind_of_error(state: str, kind: type[SyncError]) -> None:
    """By the class of its SQLSTATE."""
    assert type(meaning(state, "ERROR", "It")) is kind


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('FATAL: password authentication failed for user "a"', "login"),
        ('FATAL: permission denied for database "state"', "login"),
        ('FATAL: role "a" is not permitted to log in', "login"),
        ('FATAL: database "state" is not currently accepting connections', "login"),
        ('FATAL: no pg_hba.conf entry for host "10.0.0.1", user "a", no encryption', "login"),
        ("ERROR: no such user: a", "login"),
        ('root certificate file "/x/root.crt" does not exist', "TLS"),
        ('could not load private key file "x.key": key values mismatch', "TLS"),
        ("SSL error: certificate verify failed", "TLS"),
        ("SSL error: tlsv1 alert unknown ca", "TLS"),
        ("SSL error: wrong version number", "TLS"),
        ('server certificate for "b" does not match host name "a"', "TLS"),
        ("SSL error: unexpected eof while reading", None),
        ("SSL SYSCALL error: EOF detected", None),
        ("SSL connection has been closed unexpectedly", None),
        ("FATAL: the database system is starting up", None),
        ("FATAL: sorry, too many clients already", None),
        ("session is read-only", None),
        ('could not translate host name "state" to address: Name or service not known', None),
    ],
)
def test_N05_what_a_connection_says_without_an_sqlstate(said: str, kind: str | None) -> None:
    """A login or certificate needs a person; a connection that breaks off, also in TLS, passes."""
    error = meaning("", f'connection to server at "10.0.0.2", port 5432 failed: {said}', "It")
    assert isinstance(error, ConfigError if kind else RetryableError)
    assert kind is None or kind in str(error)


def test_N05_what_a_pooler_says_in_the_middle() -> None:
    """With the code that PostgreSQL has for a message it can't read, too."""
    told = meaning("08P01", "transaction blocks not allowed in statement pooling mode", "It")
    assert isinstance(told, ConfigError)
    assert "pool_mode = transaction" in str(told)
    assert "gave up in the middle: SQLSTATE 08P01" in str(
        meaning("08P01", "insufficient data left", "It")
    )


def test_N06_settings_of_database_and_role_change_no_text(world: World, cluster: Cluster) -> None:
    """Dates, intervals, quoting, bytes and which function is called are as ever."""
    world.seed()
    odd = {
        "DateStyle": "'SQL, DMY'", "IntervalStyle": "'iso_8601'", "TimeZone": "'Asia/Tokyo'",
        "standard_conforming_strings": "off", "bytea_output": "'escape'",
        "search_path": "traps, pg_catalog, public", "extra_float_digits": "-15",
    }  # fmt: skip
    trap = """CREATE SCHEMA traps; GRANT USAGE ON SCHEMA traps TO PUBLIC;
        CREATE FUNCTION traps.lower(text) RETURNS text LANGUAGE sql AS $$ SELECT 'trapped' $$"""
    databases = [urlsplit(url).path.strip("/") for url in (world.state_url, world.b2core_url)]
    try:
        for name in databases:
            with psycopg.connect(cluster.url(name), autocommit=True) as admin:
                admin.execute(trap)
                for key, value in odd.items():
                    setting = f"SET {key} = {value}"
                    alter = sql.SQL("ALTER DATABASE {} ").format(sql.Identifier(name))
                    admin.execute(alter + sql.SQL(setting))
        mark = "&" if "?" in world.b2core_url else "?"
        world.b2core_url += f"{mark}options=-c%20DateStyle%3DISO"  # for the oracle's own reading
        world.run()
        world.assert_converged()
        world.change()
        world.run()
        world.assert_converged()
    finally:
        for name in databases:
            with psycopg.connect(cluster.url(name), autocommit=True) as admin:
                admin.execute(sql.SQL("ALTER DATABASE {} RESET ALL").format(sql.Identifier(name)))
                admin.execute("DROP SCHEMA IF EXISTS traps CASCADE")

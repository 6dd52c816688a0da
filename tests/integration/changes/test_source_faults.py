"""A20 to A22 and B19: B2CORE fails, stalls, changes its tables or gives a client twice.

Nothing is half staged, nothing wrong is sent, the cause is told without personal data, and the
next run goes on from the same watermark.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from contact_sync.b2core import reader
from contact_sync.base.errors import ConfigError, FatalError, RetryableError
from contact_sync.postgres import arrow_reader
from contact_sync.run import in_one_process
from local.postgres.server import Cluster
from tests.support.breaking_proxy import breaking_proxy
from tests.support.connections import close_all
from tests.support.world import World

pytestmark = pytest.mark.own_connections

READER = "contact_sync_reader"
MANY = """SELECT i::bigint AS client_id, repeat('x', 2000) || i AS email, NULL::text AS exclusion
          FROM generate_series(1, {rows}) AS i"""


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once."""
    monkeypatch.setattr(in_one_process, "READ_PAUSE", 0.0)


@pytest.fixture
def own_sql(world: World, tmp_path: Path) -> World:
    """A world whose statements may be edited."""
    world.sql_folder = shutil.copytree(world.sql_folder, tmp_path / "b2core")
    return world


@pytest.fixture
def own_tables(world: World, cluster: Cluster) -> Iterator[World]:
    """A world whose tables may be altered, with six clients that are loaded."""
    world.seed()
    close_all()  # a database to copy from has no other connection
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS b2core_altered WITH (FORCE)")
        connection.execute("CREATE DATABASE b2core_altered TEMPLATE b2core_world")
        world.b2core_url = world.b2core_url.replace("/b2core_world", "/b2core_altered")
        world.reader_url = world.reader_url.replace("/b2core_world", "/b2core_altered")
        world.run()
        yield world
        connection.execute("DROP DATABASE b2core_altered WITH (FORCE)")


def replace_in(world: World, name: str, old: str, new: str) -> None:
    """Edit one of the sync's own statements."""
    path = world.sql_folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def many_clients(world: World) -> None:
    """500 clients in statements with padded e-mail: 0.5 MB of scan, then 1 MB of clients."""
    world.sql(
        """INSERT INTO b2core.clients (email, first_name)
           SELECT 'client' || i || '@example.com', 'Ann' FROM generate_series(1, 500) i"""
    )
    for name, pad in (("scan", 1000), ("clients", 2000)):
        wide = f"clients.email::text || repeat(' ', {pad}) AS email"
        replace_in(world, f"{name}.sql", "clients.email::text AS email", wide)


def assert_failed_cleanly(world: World, error: BaseException, *, writes: int = 0) -> None:
    """The run is red with its cause; nothing was staged, sent or moved; nothing private is told."""
    report = world.report()
    assert (report["state"], report["cause"]) == ("failed", str(error))
    assert len(world.writes()) == writes
    assert world.state("SELECT count(*) FROM contact_sync.outbox") == [(0,)]
    for private in ("@example.com", "only for tests", "Zoë", READER):
        assert private not in str(error)


@pytest.mark.parametrize("after", [300_000, 800_000], ids=["select", "stage"])
def test_A20_a_reset_in_mid_stream_is_tried_again(
    own_sql: World, after: int, caplog: pytest.LogCaptureFixture
) -> None:
    """One broken connection costs one try; everyone arrives once."""
    world = own_sql
    many_clients(world)
    with breaking_proxy(world.reader_url, after=after, resets=1) as proxy:
        world.reader_url = proxy.url
        report = world.run()
    assert proxy.broken == 1
    assert "can't be reached or broke off" in caplog.text
    assert (report["counts"]["read"], report["counts"]["sent"]) == (500, 500)
    world.assert_converged()


@pytest.mark.parametrize("after", [300_000, 800_000], ids=["select", "stage"])
def test_A20_a_connection_that_always_breaks_ends_the_run(own_sql: World, after: int) -> None:
    """Three tries, then red; the next run, with a sound network, sends everyone."""
    world = own_sql
    many_clients(world)
    direct = world.reader_url
    with breaking_proxy(direct, after=after, resets=99) as proxy:
        world.reader_url = proxy.url
        with pytest.raises(RetryableError, match="broke off") as raised:
            world.run()
    assert proxy.broken == 3
    assert_failed_cleanly(world, raised.value)
    assert world.state("SELECT watermark FROM contact_sync.sync") == [(None,)]
    world.reader_url = direct
    assert world.run()["counts"]["sent"] == 500


def test_A20_a_terminated_backend_is_a_retryable_error(own_sql: World) -> None:
    """Also after some batches have been read."""
    (own_sql.sql_folder / "scan.sql").write_text(MANY.format(rows=20_000))
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s"
    with own_sql.sync() as sync, sync.b2core.snapshot() as snapshot:
        batches = snapshot.scan()
        assert next(batches).num_rows > 0
        own_sql.sql(kill, READER)
        with pytest.raises(RetryableError, match="broke off"):
            list(batches)


def test_A20_an_error_in_mid_stream_tells_no_value(own_sql: World) -> None:
    """PostgreSQL's own text would name it."""
    scan = MANY.format(rows=20_000).replace("i::bigint", "(CASE i WHEN 9000 THEN 'x@example.com' "
                                            "ELSE i::text END)::bigint")  # fmt: skip
    (own_sql.sql_folder / "scan.sql").write_text(scan)
    with (
        own_sql.sync() as sync,
        sync.b2core.snapshot() as snapshot,
        pytest.raises(FatalError, match=r"\(scan.sql\) refused a statement") as raised,
    ):
        list(snapshot.scan())
    assert "22P02" in str(raised.value)
    assert "@example.com" not in str(raised.value)


def test_A20_P08_memory_does_not_grow_with_the_rows(own_sql: World) -> None:
    """160 MB of rows pass through less than a quarter of that."""
    (own_sql.sql_folder / "scan.sql").write_text(MANY.format(rows=80_000))
    process = psutil.Process()
    seen = 0
    with own_sql.sync() as sync, sync.b2core.snapshot() as snapshot:
        batches = snapshot.scan()
        next(batches)
        start = peak = process.memory_info().rss
        for batch in batches:
            seen += batch.nbytes
            peak = max(peak, process.memory_info().rss)
    assert seen > 150_000_000
    assert peak - start < 40_000_000


@pytest.mark.parametrize(
    ("login", "kind", "words"),
    [
        (":wrong@", ConfigError, "refused the login"),
        ("/nowhere", ConfigError, "refused the login"),
        (":1/", RetryableError, "can't be reached"),
    ],
    ids=["wrong password", "wrong database", "down"],
)
def test_A20_a_server_that_lets_nobody_in(
    world: World, login: str, kind: type[Exception], words: str
) -> None:
    """The login isn't told; with the right one the next run finds what changed meanwhile."""
    world.seed()
    world.run()
    right, writes = world.reader_url, len(world.writes())
    parts = psycopg.conninfo.conninfo_to_dict(right)
    old = {":wrong@": right[right.index(":", 15) : right.index("@") + 1],
           "/nowhere": "/b2core_world", ":1/": f":{parts['port']}/"}[login]  # fmt: skip
    world.reader_url = right.replace(old, login)
    world.edit(1, first_name="Ana")
    with pytest.raises(kind, match=words) as raised:
        world.run()
    assert_failed_cleanly(world, raised.value, writes=writes)
    world.reader_url = right
    assert world.run()["counts"]["sent"] == 1


def test_A20_a_slow_statement_is_cancelled(own_sql: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The definition's statement time-out; the cause names it."""
    monkeypatch.setattr(in_one_process, "MAX_READS", 1)
    own_sql.seed()
    own_sql.redefine(source={"statement_timeout_seconds": 1})
    right = (own_sql.sql_folder / "scan.sql").read_text()
    (own_sql.sql_folder / "scan.sql").write_text(f"{right}WHERE pg_sleep(0.5) IS NOT NULL\n")
    with pytest.raises(RetryableError, match=r"scan.sql\).*57014.*statement time-out") as raised:
        own_sql.run()
    assert_failed_cleanly(own_sql, raised.value)
    (own_sql.sql_folder / "scan.sql").write_text(right)
    own_sql.run()
    own_sql.assert_converged()


def test_A20_A21_a_migrations_lock_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queued reader would block the CRM behind it; the next run goes on."""
    monkeypatch.setattr(reader, "LOCK_SECONDS", 0.1)
    world.seed()
    with psycopg.connect(world.b2core_url) as migration:
        migration.execute("LOCK TABLE b2core.client_phones IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(RetryableError, match=r"clients.sql\).*55P03.*locked") as raised:
            world.run()
    assert_failed_cleanly(world, raised.value)
    world.run()
    world.assert_converged()


def test_A20_A21_a_forgotten_transaction_is_ended_by_the_server(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would keep VACUUM from cleaning up."""
    monkeypatch.setattr(reader, "IDLE_SECONDS", 0.1)
    with world.sync() as sync, sync.b2core.snapshot() as snapshot:
        snapshot.position()
        time.sleep(0.4)
        with pytest.raises(RetryableError):
            snapshot.position()


def test_A21_no_transaction_is_open_while_sendgrid_stalls(world: World) -> None:
    """Looked at between the intent to send and the answer."""
    world.seed()
    world.emulator.admin.fault("PUT", "/v3/marketing/contacts", delay=1.5)
    run = threading.Thread(target=world.run)
    run.start()
    state = "SELECT state FROM contact_sync.batch"
    while (before := world.state(state)) != [("submitting",)]:
        assert run.is_alive()
        time.sleep(0.02)
    here = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND datname = 'b2core_world'"
    connected = world.sql(here, READER)
    after = world.state(state)
    run.join()
    assert before == after == [("submitting",)]
    assert connected == [(0,)]
    world.assert_converged()


VIEW = """ALTER TABLE b2core.clients RENAME TO clients_table;
          CREATE VIEW b2core.clients AS SELECT * FROM b2core.clients_table;
          GRANT SELECT ON b2core.clients TO contact_sync_reader"""
DRIFTS = {
    "dropped": ("ALTER TABLE b2core.clients DROP COLUMN first_name",
                ["clients.sql", "42703", "first_name"]),
    "renamed": ("ALTER TABLE b2core.client_addresses RENAME COLUMN city TO town",
                ["clients.sql", "42703", "city"]),
    "retyped": ("ALTER TABLE b2core.client_phones ALTER confirmed DROP DEFAULT,"
                " ALTER confirmed TYPE text",
                ["clients.sql", "42804"]),
    "table renamed": ("ALTER TABLE b2core.countries RENAME TO lands",
                      ["clients.sql", "42P01", "b2core.countries"]),
    "view": (VIEW, ["changed_xmin.sql", "42703", "xmin"]),
    "revoked": ("REVOKE SELECT ON b2core.client_phones FROM contact_sync_reader",
                [".sql", "42501", "client_phones"]),
}  # fmt: skip


@pytest.mark.parametrize("drift", list(DRIFTS))
def test_A22_a_changed_table_stops_the_run(own_tables: World, drift: str) -> None:
    """The message names statement and column; nothing is sent and the watermark stays."""
    statement, words = DRIFTS[drift]
    writes = len(own_tables.writes())
    watermark = own_tables.state("SELECT watermark FROM contact_sync.sync")
    own_tables.edit(1, last_name="Changed")
    own_tables.sql(statement)
    with pytest.raises(ConfigError) as raised:
        own_tables.run()
    assert [word for word in words if word not in str(raised.value)] == []
    assert len(own_tables.writes()) == writes
    assert own_tables.state("SELECT watermark FROM contact_sync.sync") == watermark
    assert own_tables.report()["state"] == "failed"


@pytest.mark.parametrize("step", ["select_clients", "stage_slice"])
@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("ALTER TABLE b2core.client_phones RENAME COLUMN client_id TO owner_id", "client_id"),
        ("REVOKE SELECT ON b2core.client_phones FROM contact_sync_reader", "client_phones"),
    ],
    ids=["renamed", "revoked"],
)
def test_A22_a_table_that_changes_in_mid_run_stops_it(
    own_tables: World, monkeypatch: pytest.MonkeyPatch, step: str, statement: str, word: str
) -> None:
    """After the check, before a step that reads."""
    before(monkeypatch, step, lambda: own_tables.sql(statement))
    writes = len(own_tables.writes())
    own_tables.edit(1, last_name="Changed")
    with pytest.raises(ConfigError, match=rf"\(\w+\.sql\) refused a statement.*{word}") as raised:
        own_tables.run()
    assert_failed_cleanly(own_tables, raised.value, writes=writes)


def before(monkeypatch: pytest.MonkeyPatch, step: str, act: Callable[[], object]) -> None:
    """Do something before a step of run_all."""
    real: Callable[..., Any] = getattr(in_one_process, step)
    monkeypatch.setattr(in_one_process, step, lambda *given: (act(), real(*given))[1])


def test_A22_a_new_enum_value_is_only_a_value(own_tables: World) -> None:
    """A status that nobody knew arrives as it is."""
    own_tables.sql("""CREATE TYPE b2core.status AS ENUM ('Active', 'Inactive', 'Banned', 'Deleted');
                      ALTER TABLE b2core.client_statuses ALTER name TYPE b2core.status
                      USING name::b2core.status""")
    own_tables.sql("ALTER TYPE b2core.status ADD VALUE 'Frozen'")
    own_tables.sql("UPDATE b2core.client_statuses SET name = 'Frozen' WHERE id = 1")
    own_tables.run()
    assert own_tables.contacts()["client1@example.com"]["custom_fields"]["Status"] == "Frozen"
    own_tables.assert_converged()


TWICE = "FROM b2core.clients AS clients\n"


@pytest.mark.parametrize("statement", ["scan", "clients"])
@pytest.mark.parametrize("batch_bytes", [1, arrow_reader.BATCH_BYTES], ids=["apart", "together"])
def test_B19_a_join_that_gives_a_client_twice_stops_the_run(
    own_sql: World, monkeypatch: pytest.MonkeyPatch, statement: str, batch_bytes: int
) -> None:
    """Also when the two rows come in different batches; the message has the id and no value."""
    monkeypatch.setattr(arrow_reader, "BATCH_BYTES", batch_bytes)
    own_sql.seed()
    join = f"{TWICE}CROSS JOIN generate_series(1, 1 + (clients.id = 2)::int) AS fan_out\n"
    replace_in(own_sql, f"{statement}.sql", TWICE.rstrip() if statement == "scan" else TWICE, join)
    with pytest.raises(FatalError, match=f"{statement}.sql gives client 2 more than") as raised:
        own_sql.run()
    assert_failed_cleanly(own_sql, raised.value)

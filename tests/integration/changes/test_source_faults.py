"""A20 and A21: B2CORE fails, stalls or breaks off while it is read.

Nothing is half staged, nothing wrong is sent, the cause is told without personal data, and the
next run goes on from the same watermark.
"""

from __future__ import annotations

import threading
import time

import psutil
import psycopg
import pytest

from contact_sync.b2core import session
from contact_sync.base.errors import ConfigError, FatalError, RetryableError
from contact_sync.run import in_one_process
from tests.support.breaking_proxy import breaking_proxy
from tests.support.source_faults import READER, assert_failed_cleanly, replace_in
from tests.support.world import World

pytestmark = [pytest.mark.own_connections, pytest.mark.usefixtures("no_pause")]

MANY = """SELECT i::bigint AS client_id, repeat('x', 2000) || i AS email, NULL::text AS exclusion
          FROM generate_series(1, {rows}) AS i"""


def many_clients(world: World) -> None:
    """500 clients in statements with padded e-mail: 0.5 MB of scan, then 1 MB of clients."""
    world.sql(
        """INSERT INTO b2core.clients (email, first_name)
           SELECT 'client' || i || '@example.com', 'Ann' FROM generate_series(1, 500) i"""
    )
    for name, pad in (("scan", 1000), ("clients", 2000)):
        wide = f"clients.email::text || repeat(' ', {pad}) AS email"
        replace_in(world, f"{name}.sql", "clients.email::text AS email", wide)


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
    assert "can't be reached, or broke off" in caplog.text
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
    """Also after some batches have been read; its goodbye may arrive first, or only the end."""
    (own_sql.sql_folder / "scan.sql").write_text(MANY.format(rows=20_000))
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s"
    with own_sql.sync() as sync, sync.b2core.snapshot() as snapshot:
        batches = snapshot.scan()
        assert next(batches).num_rows > 0
        own_sql.sql(kill, READER)
        with pytest.raises(RetryableError, match=r"broke off|57P01"):
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
    with pytest.raises(RetryableError, match=r"scan.sql\).*statement time-out") as raised:
        own_sql.run()
    assert_failed_cleanly(own_sql, raised.value)
    (own_sql.sql_folder / "scan.sql").write_text(right)
    own_sql.run()
    own_sql.assert_converged()


def test_A20_A21_a_migrations_lock_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queued reader would block the CRM behind it; the next run goes on."""
    monkeypatch.setattr(session, "LOCK_SECONDS", 0.1)
    world.seed()
    with psycopg.connect(world.b2core_url) as migration:
        migration.execute("LOCK TABLE b2core.client_phones IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(RetryableError, match=r"clients.sql\).*locked") as raised:
            world.run()
    assert_failed_cleanly(world, raised.value)
    world.run()
    world.assert_converged()


def test_A20_A21_a_forgotten_transaction_is_ended_by_the_server(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would keep VACUUM from cleaning up."""
    monkeypatch.setattr(session, "IDLE_SECONDS", 0.1)
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

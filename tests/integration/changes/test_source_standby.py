"""A16 to A19: reading a standby, its promotion, and a restore; with real servers."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from contact_sync.base.errors import RetryableError
from contact_sync.run import in_one_process
from local.b2core_demo import create_reader, create_schema
from local.postgres.server import Cluster, start_cluster
from local.postgres.standby import start_copy
from local.sendgrid_emulator.process import Emulator
from tests.support.databases import empty_b2core
from tests.support.world import LIST_NAME, World

DATABASE, READER, PASSWORD = "b2core", "contact_sync_reader", "only for tests"
FAILED_OVER = "server_replaced"


@dataclass
class Pair:
    """A primary and its hot standby, and where copies may be put."""

    primary: Cluster
    standby: Cluster
    folder: Path

    def on(self, cluster: Cluster, statement: str) -> object:
        """One statement as superuser, in its own transaction; returns the first value."""
        with psycopg.connect(cluster.url(DATABASE), autocommit=True) as connection:
            cursor = connection.execute(statement)
            row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    def caught_up(self) -> None:
        """Wait until the standby has replayed everything."""
        at = self.on(self.primary, "SELECT pg_current_wal_insert_lsn()")
        wait_until(lambda: self.on(self.standby, f"SELECT pg_last_wal_replay_lsn() >= '{at}'"))


def wait_until(holds: Callable[[], object], seconds: float = 20.0) -> None:
    """Poll; fail when it doesn't hold in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Two servers of our own, made once; the last test of this module promotes the standby."""
    with tempfile.TemporaryDirectory(prefix="b2core-sync-pair-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with start_cluster(folder / "primary") as primary:
            url = primary.create_database(DATABASE)
            create_schema(url)
            create_reader(url, PASSWORD)
            with start_copy(primary, folder / "standby", standby=True) as standby:
                yield Pair(primary, standby, folder)


@pytest.fixture
def standby_world(
    pair: Pair, state_url: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> World:
    """A sync that reads the standby; rows are written on the primary."""
    monkeypatch.setattr(in_one_process, "READ_PAUSE", 0.05)
    url = pair.primary.url(DATABASE)
    empty_b2core(url)
    list_id = emulator.admin.create_list(LIST_NAME)
    reader = pair.standby.url(DATABASE, user=READER, password=PASSWORD)
    world = World(url, reader, state_url, emulator, list_id=list_id)
    world.seed()
    pair.caught_up()
    return world


def test_A18_a_stale_standby_fails_the_run_until_it_has_caught_up(
    standby_world: World, pair: Pair
) -> None:
    """An idle primary is no lag; what is received and not replayed is one."""
    world = standby_world
    world.redefine(source={"max_lag_minutes": 0})
    time.sleep(1.1)  # the last replayed commit is old, but nothing is missing
    world.run()
    world.assert_converged()
    watermark = world.state("SELECT watermark FROM contact_sync.sync")
    before = world.writes()
    pair.on(pair.standby, "SELECT pg_wal_replay_pause()")
    try:
        world.edit(1, first_name="Ana")
        time.sleep(1.1)
        with pytest.raises(RetryableError, match="The source is stale: the standby is 0 minutes"):
            world.run()
        assert world.report()["state"] == "failed"
        assert "The source is stale" in world.report()["cause"]
        assert world.state("SELECT watermark FROM contact_sync.sync") == watermark
        assert world.writes() == before
    finally:
        pair.on(pair.standby, "SELECT pg_wal_replay_resume()")
    pair.caught_up()
    report = world.run()
    assert (report["kind"], report["counts"]["sent"]) == ("incremental", 1)
    world.assert_converged()


def test_A19_a_recovery_conflict_is_tried_again(
    standby_world: World, pair: Pair, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A vacuum on the primary cancels the standby's query, which else took minutes; the run ends
    complete."""
    world = standby_world
    pair.on(pair.standby, "ALTER SYSTEM SET max_standby_streaming_delay = '50ms'")
    pair.on(pair.standby, "SELECT pg_reload_conf()")
    world.sql_folder = shutil.copytree(world.sql_folder, tmp_path / "b2core")
    scan = world.sql_folder / "scan.sql"
    slow = "pg_sleep(CASE clients.last_name WHEN 'Vacuumed' THEN 0 ELSE 30 END)"
    scan.write_text(f"{scan.read_text()}WHERE {slow} IS NOT NULL\n")
    reading = "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'contact_sync_reader'"
    reading += " AND state = 'active' AND query LIKE '%pg_sleep%'"

    def vacuum() -> None:
        wait_until(lambda: pair.on(pair.standby, reading))
        pair.on(pair.primary, "UPDATE b2core.clients SET last_name = 'Vacuumed'")
        pair.on(pair.primary, "VACUUM b2core.clients")

    other = threading.Thread(target=vacuum)
    other.start()
    report = world.run()
    other.join()
    assert "replay cancelled it" in caplog.text
    assert report["state"] == "succeeded"
    pair.caught_up()
    world.run()
    world.assert_converged()


def test_A17_a_restored_backup_makes_the_run_full(standby_world: World, pair: Pair) -> None:
    """Rows go back in time: the old values are sent, nobody who vanished is forgotten silently."""
    world = standby_world
    world.reader_url = pair.primary.url(DATABASE, user=READER, password=PASSWORD)
    with start_copy(pair.primary, pair.folder / "backup", standby=False) as restored:
        world.edit(1, first_name="Written after the backup")
        world.run()
        assert world.contact("client1@example.com")["first_name"] == "Written after the backup"
        world.b2core_url = restored.url(DATABASE)
        world.reader_url = restored.url(DATABASE, user=READER, password=PASSWORD)
        report = world.run()
        assert (report["kind"], report["kind_reason"]) == ("full", FAILED_OVER)
        world.assert_converged()


def test_A16_a_promoted_standby_makes_the_run_full(standby_world: World, pair: Pair) -> None:
    """The new primary lacks the last commits and gives their transaction numbers out again.

    It has used more of them than the watermark knows: only the timeline tells.
    """
    world = standby_world
    world.redefine(source={"max_lag_minutes": 0})
    pair.on(pair.standby, "ALTER SYSTEM SET primary_conninfo = ''")
    pair.on(pair.standby, "SELECT pg_reload_conf()")
    wait_until(lambda: not pair.on(pair.standby, "SELECT count(*) FROM pg_stat_wal_receiver"))
    time.sleep(1.1)
    with pytest.raises(RetryableError, match="The source is stale"):
        world.run()
    on_standby = world.reader_url
    world.reader_url = pair.primary.url(DATABASE, user=READER, password=PASSWORD)
    world.edit(1, first_name="Lost")
    world.run()
    assert world.contact("client1@example.com")["first_name"] == "Lost"
    pair.on(pair.standby, "SELECT pg_promote()")
    world.b2core_url, world.reader_url = pair.standby.url(DATABASE), on_standby
    world.edit(2, first_name="After the failover")
    use_up = "DO 'BEGIN FOR i IN 1..200 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END'"
    pair.on(pair.standby, use_up)
    (mark,) = world.state("SELECT watermark FROM contact_sync.sync")[0]
    with world.sync() as sync, sync.b2core.snapshot() as snapshot:
        position = snapshot.position()
    assert int(position.next_xid) > int(mark["horizon"])
    assert position.system_identifier == mark["system_identifier"]
    assert position.timeline == mark["timeline"] + 1
    report = world.run()
    assert (report["kind"], report["kind_reason"]) == ("full", FAILED_OVER)
    world.assert_converged()

"""R06: B2CORE's server comes back with an older state of its disk, which only its start tells."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from local.b2core_demo import create_reader, create_schema
from local.postgres.server import Cluster, start_cluster
from local.sendgrid_emulator.process import Emulator
from tests.support.connections import close_all
from tests.support.world import LIST_NAME, World

DATABASE, READER, PASSWORD = "b2core", "contact_sync_reader", "only for tests"
RESTARTED = ("full", "server_restarted")
USE_UP = "DO 'BEGIN FOR i IN 1..300 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END'"

pytestmark = pytest.mark.own_connections


def loaded(world: World) -> None:
    """Nobody but the seed is in B2CORE, and a first load has sent it."""
    world.sql("TRUNCATE b2core.clients RESTART IDENTITY CASCADE")
    world.seed()
    world.run()


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """Where the server of this module keeps its data, with a B2CORE in it."""
    with tempfile.TemporaryDirectory(prefix="b2core-sync-image-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with start_cluster(folder / "server") as cluster:
            url = cluster.create_database(DATABASE)
            create_schema(url)
            create_reader(url, PASSWORD)
        yield folder / "server"


@contextmanager
def running(home: Path, world: World) -> Iterator[Cluster]:
    """The server on what is on its disk; the sync reads it."""
    with start_cluster(home) as cluster:
        world.b2core_url = cluster.url(DATABASE)
        world.reader_url = cluster.url(DATABASE, user=READER, password=PASSWORD)
        yield cluster
        close_all()


def edited(world: World) -> None:
    """Names, a phone and a newcomer."""
    world.sql("UPDATE b2core.clients SET first_name = 'Later' WHERE id = 1")
    world.sql("DELETE FROM b2core.client_phones WHERE client_id = 2")
    world.add("newcomer@example.com")


def use_up(cluster: Cluster) -> None:
    """Give out as many transaction numbers as the lost state had given out, and more."""
    with psycopg.connect(cluster.url(DATABASE), autocommit=True) as connection:
        connection.execute(USE_UP)


@pytest.fixture
def world_of_its_own(state_url: str, emulator: Emulator) -> World:
    """A sync without a source yet."""
    list_id = emulator.admin.create_list(LIST_NAME)
    return World("", "", state_url, emulator, list_id=list_id)


def test_R06_a_disk_image_of_before_makes_the_run_full(home: Path, world_of_its_own: World) -> None:
    """Server, history and database are the same, and its transaction numbers are ahead of the last
    run's: without a full run the values of the lost state stay for good."""
    world = world_of_its_own
    with running(home, world) as cluster:
        loaded(world)
    image = home.parent / "image"
    shutil.copytree(home / "data", image, symlinks=True, copy_function=shutil.copy2)
    owner = (home / "data").stat()
    with running(home, world) as cluster:
        edited(world)
        report = world.run()
        assert (report["kind"], report["kind_reason"]) == RESTARTED
        world.assert_converged()
    shutil.rmtree(home / "data")
    image.rename(home / "data")
    _give(home / "data", owner.st_uid, owner.st_gid)
    with running(home, world) as cluster:
        use_up(cluster)
        report = world.run()
        assert (report["kind"], report["kind_reason"]) == RESTARTED
        assert world.contact("client1@example.com")["first_name"] == "Zoë 1"
        assert "phone_number" in world.contact("client2@example.com")
        assert world.run()["kind"] == "incremental"
        world.run()
        world.assert_converged(unlisted={"newcomer@example.com"})


def _give(folder: Path, user: int, group: int) -> None:
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, user, group)


def test_R06_a_restart_is_one_full_run(home: Path, world_of_its_own: World) -> None:
    """Nothing is sent for it, and the next run is incremental again."""
    world = world_of_its_own
    with running(home, world):
        loaded(world)
        assert world.run()["kind"] == "incremental"
    with running(home, world):
        report = world.run()
        assert (report["kind"], report["kind_reason"]) == RESTARTED
        assert report["counts"]["sent"] == 0
        assert world.run()["kind"] == "incremental"


def crash(cluster: Cluster) -> None:
    """One of its processes dies: the server ends all others, recovers, and is as old as before."""
    close_all()
    with psycopg.connect(cluster.url(DATABASE), autocommit=True) as connection:
        connection.execute("CHECKPOINT")  # the server of tests commits without waiting for its disk
        os.kill(connection.info.backend_pid, signal.SIGKILL)
    for _ in range(300):
        try:
            return psycopg.connect(cluster.url(DATABASE)).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise AssertionError("The server hasn't recovered within half a minute")


def test_R06_a_crash_that_the_server_survives_is_one_full_run(
    home: Path, world_of_its_own: World
) -> None:
    """All counts are dropped: those of a row that was deleted just before, too."""
    world = world_of_its_own
    with running(home, world) as cluster:
        loaded(world)
        world.run()
        world.sql("DELETE FROM b2core.client_phones WHERE client_id = 1")
        crash(cluster)
        report = world.run()
        assert (report["kind"], report["kind_reason"]) == RESTARTED
        world.assert_converged()
        assert world.run()["kind"] == "incremental"


def test_R06_a_database_made_again_on_the_same_server_makes_the_run_full(
    home: Path, world_of_its_own: World
) -> None:
    """From a dump, as it is done to get back what was lost: rows and server are the same."""
    world = world_of_its_own
    with running(home, world) as cluster:
        loaded(world)
        close_all()
        with psycopg.connect(cluster.url(), autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS b2core_before WITH (FORCE)")
            connection.execute("ALTER DATABASE b2core RENAME TO b2core_before")
            connection.execute("CREATE DATABASE b2core TEMPLATE b2core_before")
        report = world.run()
        assert (report["kind"], report["kind_reason"]) == ("full", "server_replaced")
        assert world.run()["kind"] == "incremental"


@pytest.mark.parametrize("again", [False, True], ids=["refused", "granted since"])
def test_R06_a_hardened_server_that_refuses_to_tell_is_read_all_the_same(
    home: Path, world_of_its_own: World, again: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The check says once a run what is refused, and what that means."""
    world = world_of_its_own
    functions = (
        "pg_postmaster_start_time()", "pg_control_system()", "pg_control_checkpoint()",
        "pg_control_recovery()", "pg_current_wal_lsn()", "pg_last_xact_replay_timestamp()",
        "pg_stat_get_bgwriter_stat_reset_time()",
    )  # fmt: skip
    with running(home, world):
        world.sql("TRUNCATE b2core.clients RESTART IDENTITY CASCADE")
        world.seed()
        for function in functions:
            world.sql(f"REVOKE EXECUTE ON FUNCTION pg_catalog.{function} FROM public")
        try:
            caplog.clear()
            world.run()
            said = [r.getMessage() for r in caplog.records if "refuses" in r.getMessage()]
            assert len(said) == 1
            assert all(function in said[0] for function in functions)
            world.edit(1, first_name="Ana")
            report = world.run()
            assert (report["kind"], report["counts"]["sent"]) == ("incremental", 1)
            world.assert_converged()
        finally:
            for function in functions:
                world.sql(f"GRANT EXECUTE ON FUNCTION pg_catalog.{function} TO public")
        if again:
            caplog.clear()
            assert world.run()["kind_reason"] == "server_replaced"
            assert "refuses" not in caplog.text

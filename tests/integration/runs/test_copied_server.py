"""R: the files of the state database's server are those of an earlier moment, or of a standby."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from psycopg import sql

from contact_sync.base.marks import Marks
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.start_run import start_run
from contact_sync.state.migrate import migrate
from local.postgres.server import Cluster, start_cluster
from local.postgres.standby import start_copy
from tests.conftest import STATE_PASSWORD, STATE_ROLE, STATE_ROLES
from tests.support import connections
from tests.support.kept_mark import KeptMark
from tests.support.steps import go_on
from tests.support.world import World

DATABASE = "state"


def state_url(server: Cluster) -> str:
    """Where the state database is on that server."""
    connections.close_all()
    return server.url(DATABASE, user=STATE_ROLE, password=STATE_PASSWORD)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Room for servers."""
    with TemporaryDirectory(prefix="b2core-sync-state-") as name:
        Path(name).chmod(0o711)  # for the account that the servers run as
        yield Path(name)


@pytest.fixture
def server(folder: Path) -> Iterator[Cluster]:
    """A server that has an empty state database and nothing else."""
    with start_cluster(folder / "first") as running:
        with psycopg.connect(running.create_database(DATABASE), autocommit=True) as connection:
            connection.execute(STATE_ROLES.read_bytes())
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                    sql.Identifier(STATE_ROLE), sql.Literal(STATE_PASSWORD)
                )
            )
        migrate(state_url(running))
        yield running
        connections.close_all()


@pytest.fixture(params=["mark", "no mark"])
def marks(request: pytest.FixtureRequest) -> Marks | None:
    """Where runs leave their marks."""
    return KeptMark() if request.param == "mark" else None


@contextmanager
def copied_files(server: Cluster, folder: Path) -> Iterator[Callable[[], Cluster]]:
    """The data directory of a server that is stopped, copied, and put back later."""
    home, copy = server.directory, folder / "copy"
    connections.close_all()
    server.stop()
    shutil.copytree(home, copy)
    for part in copy.rglob("*"):
        shutil.chown(part, (home / "data").owner(), (home / "data").group())
    started = [start_cluster(home)]

    def restore() -> Cluster:
        connections.close_all()
        started[0].stop()
        started.append(start_cluster(copy))
        return started[-1]

    restore.meanwhile = started[0]  # type: ignore[attr-defined]
    yield restore
    connections.close_all()
    started[-1].stop()


@contextmanager
def base_backup(server: Cluster, folder: Path) -> Iterator[Callable[[], Cluster]]:
    """pg_basebackup, started without any recovery configured."""
    with start_copy(server, folder / "copy", standby=False) as copy:
        yield lambda: copy
        connections.close_all()


@contextmanager
def failed_over(server: Cluster, folder: Path) -> Iterator[Callable[[], Cluster]]:
    """A standby that was cut off and is promoted: it has another timeline."""
    with start_copy(server, folder / "copy", standby=True) as copy:
        promote(copy)
        yield lambda: copy
        connections.close_all()


def promote(standby: Cluster) -> None:
    """Make it a server of its own."""
    with psycopg.connect(standby.url(), autocommit=True) as connection:
        assert connection.execute("SELECT pg_promote(TRUE, 60)").fetchone() == (True,)


WAYS = {
    "copied files": (copied_files, "state_restarted"),
    "base backup": (base_backup, "state_restarted"),
    "fail-over": (failed_over, "state_moved"),
}


@pytest.mark.parametrize("way", WAYS)
def test_R11_R12_files_of_an_earlier_moment(
    consenting: World, server: Cluster, folder: Path, way: str, marks: Marks | None
) -> None:
    """Nothing in the database tells: the mark does, or else the server's start or timeline."""
    world = replace(consenting, state_url=state_url(server), marks=marks)
    ann = world.add("ann@example.com", first_name="Ann")
    world.run()
    take, expected = WAYS[way]
    with take(server, folder) as restore:
        world.state_url = state_url(getattr(restore, "meanwhile", server))
        world.edit(ann, first_name="Other")
        world.add("new@example.com", last_name="Lee")
        world.run()
        world.state_url = state_url(restore())
        world.edit(ann, first_name="Ann")
        world.sql("UPDATE b2core.clients SET last_name = 'opted out' WHERE id <> %s", ann)
        report = world.run()
        assert report["kind_reason"] == ("state_went_back" if marks else expected)
        assert world.contact("ann@example.com")["first_name"] == "Ann"
        assert world.contacts()["new@example.com"]["list_ids"] == []
        assert world.run()["counts"]["sent"] == 0


@pytest.mark.parametrize("way", ["base backup", "fail-over"])
def test_R11_files_of_a_moment_in_the_middle_of_a_run(
    world: World, server: Cluster, folder: Path, way: str
) -> None:
    """The run is the newest on both sides, and was killed after it had sent what the files lack."""
    world = replace(world, state_url=state_url(server), marks=KeptMark())
    ann = world.add("ann@example.com", first_name="Ann")
    world.run()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
    take, expected = WAYS[way]
    with take(server, folder) as restore:
        world.edit(ann, first_name="Other")
        with world.sync() as sync:
            go_on(sync, run_id, before="finish")
        assert world.contact("ann@example.com")["first_name"] == "Other"
        world.edit(ann, first_name="Ann")
        world.state_url = state_url(restore())
        assert world.run(take_over=True)["kind_reason"] == expected
        world.assert_converged()


def test_R12_a_server_that_is_started_anew_is_no_restore(
    world: World, server: Cluster, folder: Path
) -> None:
    """The mark of the last run proves it; the same of a standby that lacks nothing."""
    world = replace(world, state_url=state_url(server), marks=KeptMark())
    world.seed()
    world.run()
    server.stop()
    with start_cluster(folder / "first") as again:
        world.state_url = state_url(again)
        report = world.run()
        assert (report["kind"], report["counts"]["sent"]) == ("incremental", 0)
        with start_copy(again, folder / "copy", standby=True) as standby:
            promote(standby)
            world.state_url = state_url(standby)
            report = world.run()
            assert (report["kind"], report["counts"]["sent"]) == ("incremental", 0)
            connections.close_all()
        connections.close_all()


def test_R12_without_a_mark_a_new_start_proves_nothing(
    world: World, server: Cluster, folder: Path
) -> None:
    """A mark of an older run than the newest neither: another place has the newer one."""
    world = replace(world, state_url=state_url(server), marks=KeptMark())
    world.seed()
    world.run()
    replace(world, marks=None).run()
    server.stop()
    with start_cluster(folder / "first") as again:
        world.state_url = state_url(again)
        report = world.run()
        assert (report["kind"], report["kind_reason"]) == ("resend", "state_restarted")
        assert world.run()["counts"]["sent"] == 0
        connections.close_all()

"""P: the disk fills up, the state database goes away, comes back older, or has another schema."""

from __future__ import annotations

import ast
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

import contact_sync
from contact_sync.base.errors import LeaseBusy, RetryableError, SyncError
from contact_sync.base.vocabulary import RunKind
from contact_sync.postgres import arrow_reader
from contact_sync.run import in_one_process, settle_earlier_runs
from contact_sync.run.context import open_run
from contact_sync.run.start_run import start_run
from contact_sync.state.database import Bounded, StateDatabase
from local.postgres.server import Cluster
from tests.support.connections import close_all
from tests.support.steps import STEPS
from tests.support.world import World

pytestmark = pytest.mark.own_connections

LANES = pytest.mark.parametrize("lane", ["json", "csv"])
DEAD = "postgresql://nobody@127.0.0.1:1/nowhere"
SENT_STATES = {"submitting", "uploading", "submitted", "settled"}
copies = count()


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes: what a full disk does to a writer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_P01_a_full_disk_ends_the_run_and_loses_nothing(world: World) -> None:
    """While the upload is written: nothing leaves, the cause is kept, the next run sends all."""
    world.redefine(lane="csv")
    world.sql(
        """INSERT INTO b2core.clients (email, first_name)
           SELECT 'c' || n || '@example.com', md5(n::text) FROM generate_series(1, 300) AS n"""
    )
    with largest_file(2_000), pytest.raises(SyncError, match=r"OSError|space"):
        world.run()
    assert world.emulator.admin.uploads() == []
    assert world.report()["state"] == "failed"
    assert world.report()["cause"]
    assert world.run()["books"]["confirmed"] == 300
    world.assert_converged()


@LANES
def test_P02_P03_no_step_leaves_or_needs_a_file(
    world: World, lane: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every step on a machine of its own, with an empty disk, that is empty again afterwards."""
    world.redefine(lane=lane)
    world.seed()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="first")
    for name, step in STEPS.items():
        machine = tmp_path / name
        machine.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(machine))
        monkeypatch.chdir(machine)
        with world.sync() as sync:
            step(sync, open_run(sync, run_id))
        assert list(machine.rglob("*")) == [], name
    world.assert_converged()


class DyingDatabase(StateDatabase):
    """A state database that is there for so many connections and then no more."""

    def __init__(self, dsn: str, connections: int) -> None:
        super().__init__(dsn)
        self.left = connections

    def _connect(self) -> Bounded:
        self._count()
        return super()._connect()

    def _connect_reader(self) -> arrow_reader.Connection:
        self._count()
        return super()._connect_reader()

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            self.dsn = DEAD  # no one listens there


def run_until_it_dies(world: World, connections: int) -> bool:
    """Run with a dying state database; returns whether the run got to its end."""
    with world.sync() as sync:
        dying = DyingDatabase(world.state_url, connections)
        try:
            in_one_process.run_sync(
                replace(sync, state=dying),
                RunKind.INCREMENTAL, holder="test", take_over=True,
            )  # fmt: skip
        except RetryableError as error:
            assert "state database" in str(error)  # noqa: PT017
            return False
    return True


@LANES
def test_P04_the_state_database_goes_away_at_any_step(
    world: World, lane: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each number of transactions: a retryable error, no contact was sent without a stored
    intent, and what the next runs do makes everything right."""
    monkeypatch.setattr(in_one_process, "MAX_SUBMITS", 1)
    monkeypatch.setattr(in_one_process, "MAX_READS", 1)
    monkeypatch.setattr(settle_earlier_runs, "POLL_SECONDS", 0.1)
    world.redefine(lane=lane)
    world.seed()
    world.run()
    for transactions in range(0 if lane == "json" else 8, 256, 16):
        world.edit(1, first_name=f"N{transactions}")
        world.edit(5, email=f"moved{transactions}@example.com")
        sent = world.sent()
        done = run_until_it_dies(world, transactions)
        if world.sent() != sent:
            states = world.state("SELECT state FROM contact_sync.batch ORDER BY batch_id DESC")
            assert {state for (state,) in states} & SENT_STATES
        if done:
            break
    else:
        pytest.fail("no run got to its end: there are more transactions than were tried")
    world.run(take_over=True)
    world.assert_converged()


def test_P04_a_connection_that_breaks_in_a_transaction(world: World) -> None:
    """Nothing of the transaction is kept, and the error is one that is tried again."""
    state = StateDatabase(world.state_url)

    def half() -> None:
        with state.transaction() as cursor:
            cursor.execute("INSERT INTO contact_sync.sync (name) VALUES ('half')")
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(RetryableError, match=r"gave up in the middle: SQLSTATE 57P01"):
        half()
    assert world.state("SELECT count(*) FROM contact_sync.sync") == [(0,)]


def database_of(url: str) -> str:
    """The name of the database in a URL."""
    return urlsplit(url).path.strip("/")


@contextmanager
def copy_of(cluster: Cluster, state_url: str) -> Iterator[str]:
    """A copy of a state database as it is now: its backup."""
    old, name = database_of(state_url), f"backup_{next(copies)}"
    close_all()
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        new = sql.Identifier(name)
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(new, sql.Identifier(old))
        )
        yield state_url.replace(f"/{old}", f"/{name}")
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(new))


@LANES
def test_P05_a_state_database_restored_from_a_backup(
    world: World, cluster: Cluster, lane: str
) -> None:
    """What was sent since the backup is sent again; every contact is right, then nothing is."""
    world.redefine(lane=lane)
    world.seed()
    world.run()
    with copy_of(cluster, world.state_url) as backup:
        world.change()
        world.run()
        world.change_again()
        world.run()
        restored = replace(world, state_url=backup)
        assert restored.run()["counts"]["sent"] > 0
        restored.assert_converged()
        assert restored.run()["counts"]["sent"] == 0


def test_P06_a_lost_state_database_means_a_first_load(world: World, cluster: Cluster) -> None:
    """Everyone is confirmed again, and no contact is removed."""
    with copy_of(cluster, world.state_url) as empty:
        world.seed()
        world.run()
        world.emulator.admin.put_contacts({"email": "somebody@else.example"})
        writes = len(world.writes())
        report = replace(world, state_url=empty).run()
    assert (report["kind"], report["kind_reason"]) == ("full", "first_load")
    assert report["counts"]["sent"] == report["books"]["confirmed"] == 4
    assert [call.split()[0] for call in world.writes()[writes:]] == ["PUT"]
    assert "somebody@else.example" in world.contacts()


@pytest.mark.parametrize("days", [-1, 1])
def test_P12_a_workers_wrong_clock_decides_nothing(
    world: World, days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lease, kinds of runs, quarantine and dates of the report are those of the database."""
    world.redefine(deadlines={"job_hours": 1.0, "quarantine_minutes": 0.01})
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + days * 86_400)
    world.seed()
    assert world.run()["kind"] == "full"
    world.change()
    assert world.run()["kind"] == "incremental"
    world.assert_converged()
    with world.sync() as sync:
        start_run(sync, RunKind.FULL, holder="right clock")
        with pytest.raises(LeaseBusy):
            start_run(sync, RunKind.FULL, holder="wrong clock")
    old = "now() - started_at > interval '1 hour' OR finished_at > now()"
    assert world.state(f"SELECT count(*) FROM contact_sync.run WHERE {old}") == [(0,)]


def test_P12_only_waits_look_at_the_workers_clock() -> None:
    """Those that may: SendGrid's hints how long to wait, Airflow's deferral, and what has no state
    database: a probe, and the page of all syncs when it is away."""
    package = Path(contact_sync.__file__).parent
    found = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {
                "time.time", "datetime.now", "datetime.utcnow", "date.today", "utcnow",
            }:  # fmt: skip
                found.add(path.relative_to(package).as_posix())
    may = ("sendgrid/", "airflow_edge/", "cli/probe.py", "web/syncs_page.py")
    assert {path for path in found if not path.startswith(may)} == set()


def test_P13_two_deployments_remove_nothing_of_each_other(world: World, cluster: Cluster) -> None:
    """Each keeps a state database of its own; that they share an account isn't noticed."""
    with copy_of(cluster, world.state_url) as other_state:
        other = replace(world, state_url=other_state)
        world.seed()
        world.run()
        assert other.run()["counts"]["sent"] == 4
        world.change()
        world.run()
        other.run()
        world.assert_converged()
        assert (world.run()["counts"]["sent"], other.run()["counts"]["sent"]) == (0, 0)

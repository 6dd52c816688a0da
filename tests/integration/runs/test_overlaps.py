"""O: runs and processes that overlap, pause, wake up again, queue up, or repeat old work."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess

import pytest

from contact_sync.base import failpoints
from contact_sync.base.errors import FatalError
from contact_sync.base.vocabulary import RunKind
from contact_sync.cli import main as cli
from contact_sync.run import settle_earlier_runs
from contact_sync.run.context import open_run
from contact_sync.run.release_lease import release_lease
from contact_sync.run.sending.submit import submit_batch
from contact_sync.run.start_run import start_run
from tests.stateful.child import stands_still
from tests.support.forks import FORKS
from tests.support.steps import STEPS, everything, go_on, the_batch
from tests.support.world import World

FENCED = 3
WATERMARK = "SELECT watermark, last_full_at, mapping_version FROM contact_sync.sync"


def run_as_zombie(point: str, world: World) -> None:
    """In a child process: run, stop at the point, and tell by the exit code whether it was fenced
    when it went on."""
    os.environ[failpoints.VARIABLE] = point
    os.environ[failpoints.SIGNAL_VARIABLE] = "STOP"
    try:
        world.run()
    except FatalError as error:  # Fenced, or told that the run is over
        os._exit(FENCED if "lease" in str(error) or "over" in str(error) else 4)


@contextmanager
def stopped(point: str, world: World) -> Iterator[BaseProcess]:
    """A run in a process of its own that stands still at the point; it never outlives the test."""
    child = FORKS.Process(target=run_as_zombie, args=(point, world.portable()))
    child.start()
    try:
        while child.is_alive() and not stands_still(child):
            child.join(0.02)
        assert child.is_alive(), f"{point} was not reached: {child.exitcode}"
        yield child
    finally:
        child.kill()
        child.join(60)


ZOMBIES = [
    *(("json", p) for p in ("clients_selected", "upserted_not_stored", "batch_settled")),
    *(("csv", p) for p in ("import_created", "uploaded_not_stored")),
]  # fmt: skip


@pytest.mark.parametrize(("lane", "point"), ZOMBIES)
def test_O04_a_stopped_process_that_wakes_up_is_fenced(
    world: World, lane: str, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGSTOP, a whole run of somebody else, SIGCONT: it ends as fenced and undoes nothing."""
    monkeypatch.setattr(settle_earlier_runs, "POLL_SECONDS", 1.0)
    world.redefine(lane=lane)
    world.seed()
    with stopped(point, world) as zombie:
        world.change()
        world.run(take_over=True)
        before = everything(world)
        assert zombie.pid is not None
        os.kill(zombie.pid, signal.SIGCONT)
        zombie.join(60)
        assert zombie.exitcode == FENCED
    assert everything(world) == before
    world.assert_converged()


def test_O03_the_command_line_respects_the_lease(
    world: World, connections: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside a run of somebody else it sends nothing and names who is at work; later it runs."""
    world.seed()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="the scheduler")
        before = everything(world)
        assert cli.main(["run", "demo"]) != 0
        assert "the scheduler is at work on this sync" in capsys.readouterr().err
        assert everything(world) == before
        release_lease(sync, run_id, "gave up")
    assert cli.main(["run", "demo"]) == 0
    world.assert_converged()


@pytest.fixture
def connections(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The world as the connections that the command line reads."""
    world.connect_airflow(monkeypatch)


def test_O05_no_step_of_an_old_run_does_anything(world: World) -> None:
    """Cleared a week later: refused, and neither a row nor the watermark nor a contact changes."""
    world.seed()
    world.run()
    old = world.report()["id"]
    world.change()
    world.run()
    before = everything(world)
    for name, step in STEPS.items():
        with world.sync() as sync, pytest.raises(FatalError, match=r"is over \(succeeded\)"):
            step(sync, open_run(sync, old))
        assert everything(world) == before, name


def test_O07_runs_that_queued_up_send_once(world: World) -> None:
    """After a pause the first run brings all that happened; the others call and find nothing."""
    world.seed()
    world.run()
    world.change()
    world.change_again()
    sent = [world.run()["counts"]["sent"] for _ in range(5)]
    assert sent[0] > 0
    assert sent[1:] == [0, 0, 0, 0]
    world.assert_converged()


def test_O08_no_two_batches_of_a_run_hold_one_address(world: World) -> None:
    """Shared, swapped and cleared addresses, both lanes, many small batches side by side."""
    world.redefine(lane="csv", csv_batch_contacts=1_000)
    world.sql(
        """INSERT INTO b2core.clients (email, first_name)
           SELECT format(CASE n %% 3 WHEN 0 THEN 'Shared%%s@Example.com' ELSE 'own%%s@x.co' END,
                         CASE n %% 3 WHEN 0 THEN n %% 500 ELSE n END), 'N' || n
           FROM generate_series(1, 4000) AS n"""
    )
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="first")
        go_on(sync, run_id, before="submit")
        release_lease(sync, run_id, "seen enough")
    count = "SELECT count(DISTINCT batch_id), count(*), count(DISTINCT email_hash) FROM"
    ((batches, contacts, addresses),) = world.state(f"{count} contact_sync.batch_client")
    assert batches >= 3
    assert (
        contacts
        == addresses
        == world.sql("SELECT count(DISTINCT lower(email)) FROM b2core.clients")[0][0]
    )


def test_O09_a_contact_that_comes_back_while_its_removal_is_slow(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deletion is accepted, its worker dies, the client returns to the address: the next run
    waits for the deletion before it sends, so the contact is there at the end."""
    monkeypatch.setattr(settle_earlier_runs, "POLL_SECONDS", 0.1)
    client = world.add("ann@example.com", phone="+41790000001")
    world.run()
    world.edit(client, email="moved@example.com")
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="dies")
        go_on(sync, run_id, before="finish")
        world.emulator.admin.settings(delay=1.0)
        submit_batch(sync, open_run(sync, run_id), the_batch(sync))
    assert world.writes()[-1].startswith("DELETE")
    world.edit(client, email="ann@example.com")
    world.run(take_over=True)
    world.emulator.admin.settings(delay=0.05)
    world.run()
    assert "phone_number" in world.contact("ann@example.com")
    world.assert_converged()


@pytest.mark.parametrize(
    ("kind", "before"), [("full", "plan"), ("full", "finish"), ("resend", "settle")]
)
def test_O10_a_backfill_that_dies_leaves_the_watermark(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str, before: str
) -> None:
    """It moves at the end of a run only, and the next run reads everything since."""
    monkeypatch.setattr(settle_earlier_runs, "POLL_SECONDS", 1.0)
    world.seed()
    world.run()
    mark = world.state(WATERMARK)
    world.change()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind(kind), holder="dies")
        go_on(sync, run_id, before=before)
    assert world.state(WATERMARK) == mark
    world.change_again()
    world.run(take_over=True)
    assert world.state(WATERMARK) != mark
    world.assert_converged()

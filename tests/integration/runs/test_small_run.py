"""P15: what `start_run` does of a run with little to do, and what it leaves to the other tasks."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from contact_sync.base.errors import FatalError
from contact_sync.base.failpoints import SIGNAL_VARIABLE, VARIABLE
from contact_sync.base.vocabulary import RunKind
from contact_sync.run import small_run
from contact_sync.run.context import open_run
from contact_sync.run.find_removals import find_removals
from contact_sync.run.finish_run import finish_run
from contact_sync.run.plan_batches import plan_batches
from contact_sync.run.remove_excluded import remove_excluded
from contact_sync.run.select_clients import select_clients
from contact_sync.run.send_batch import send_batch
from contact_sync.run.sending.submit import submit_batch
from contact_sync.run.small_run import CHECKS, STEPS, go_on, selected_slices
from contact_sync.run.stage_clients import stage_clients
from contact_sync.run.start_run import begun_by, start_run
from contact_sync.state.runs import Run
from contact_sync.sync import Sync
from tests.support.world import World

EVERY_STEP = [name for part in CHECKS + STEPS for name in part.tasks]
CHECKED = EVERY_STEP[:3]
STAGED = EVERY_STEP[:5]


def change_some(world: World) -> None:
    """Four clients that are in SendGrid have changed since, one of its address."""
    world.seed()
    world.run()
    world.change()


def begin(sync: Sync, kind: RunKind = RunKind.INCREMENTAL) -> int:
    """A run that has begun."""
    return start_run(sync, kind, holder="test")


def take_the_rest(sync: Sync, run_id: int, done: list[str]) -> None:
    """Do what the tasks do that aren't skipped, as the DAG does."""
    if "select_clients" not in done:
        run = open_run(sync, run_id)
        slices = selected_slices(sync, run)
        for slice_no in range(select_clients(sync, run) if slices is None else slices):
            stage_clients(sync, open_run(sync, run_id), slice_no)
    if "plan_batches" not in done:
        batch_ids = plan_batches(sync, open_run(sync, run_id))
        follow(sync, run_id, remove_excluded(sync, open_run(sync, run_id)))
        follow(sync, run_id, batch_ids)
    if "find_removals" not in done:
        follow(sync, run_id, find_removals(sync, open_run(sync, run_id)))
    finish_run(sync, open_run(sync, run_id))


def follow(sync: Sync, run_id: int, batch_ids: list[int]) -> None:
    """Send batches whose jobs are over at once."""
    for batch_id in batch_ids:
        while send_batch(sync, open_run(sync, run_id), batch_id) is not None:
            continue


@contextmanager
def killed_at(point: str) -> Iterator[None]:
    """What is done inside ends at the point, as a process does that is killed."""

    def end(*_signal: object) -> None:
        del os.environ[VARIABLE]
        raise SystemExit(1)

    before = signal.signal(signal.SIGUSR1, end)
    os.environ.update({VARIABLE: point, SIGNAL_VARIABLE: "USR1"})
    try:
        with pytest.raises(SystemExit):
            yield
    finally:
        signal.signal(signal.SIGUSR1, before)
        os.environ.pop(VARIABLE, None)
        del os.environ[SIGNAL_VARIABLE]


def test_P15_a_run_with_little_to_do_needs_no_other_task(world: World) -> None:
    """Neither with a few changes, a removal among them, nor with none; of a full one, which reads
    everybody, only the checks are done on the way."""
    change_some(world)
    with world.sync() as sync:
        for _ in ("some", "none"):
            before, run_id = len(world.writes()), begin(sync)
            assert go_on(sync, run_id) == EVERY_STEP
            finish_run(sync, open_run(sync, run_id))
            world.assert_converged()
        assert len(world.writes()) == before
        assert go_on(sync, begin(sync, RunKind.FULL)) == CHECKED


def test_P15_what_is_large_is_selected_once_and_left_to_mapped_tasks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More clients than a process shall take on the way: the selection stays as it is, unless a
    slice of it is staged already."""
    change_some(world)
    monkeypatch.setattr(small_run, "MOST_CLIENTS", 3)
    world.redefine(slice_clients=2)
    with world.sync() as sync:
        run_id = begin(sync)
        assert go_on(sync, run_id) == CHECKED
        assert selected_slices(sync, open_run(sync, run_id)) == 2
        stage_clients(sync, open_run(sync, run_id), 0)
        assert selected_slices(sync, open_run(sync, run_id)) is None
        take_the_rest(sync, run_id, CHECKED)
    world.assert_converged()


@pytest.mark.parametrize(
    "most", ["small_run.MOST_BATCHES", "send_batch.LOOK_SECONDS"], ids=["many batches", "slow job"]
)
def test_P15_what_is_sent_and_not_over_is_followed_by_its_task(
    world: World, monkeypatch: pytest.MonkeyPatch, most: str
) -> None:
    """Planning again returns what is open still; nothing is sent twice."""
    change_some(world)
    monkeypatch.setattr(f"contact_sync.run.{most}", 0)
    world.emulator.admin.settings(delay=0.3)
    with world.sync() as sync:
        run_id = begin(sync)
        assert go_on(sync, run_id) == STAGED
        take_the_rest(sync, run_id, STAGED)
    world.assert_converged()
    assert len([call for call in world.writes() if call.startswith("PUT")]) == 2  # with the load


def test_P15_a_job_is_looked_at_for_a_moment_however_long_it_took_to_send(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large file takes longer to send than a job is looked at, and isn't waited for therefore."""
    change_some(world)
    world.emulator.admin.settings(delay=0.3)  # not over when it is looked at for the first time
    sent: set[int] = set()

    def slowly(sync: Sync, run: Run, batch_id: int) -> None:
        submit_batch(sync, run, batch_id)
        sent.add(batch_id)

    monkeypatch.setattr("contact_sync.run.send_batch.submit_batch", slowly)
    monkeypatch.setattr("contact_sync.run.send_batch.LOOK_SECONDS", 60.0)
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + 3600 * len(sent), sleep=time.sleep)
    monkeypatch.setattr("contact_sync.run.send_batch.time", clock)
    with world.sync() as sync:
        assert go_on(sync, begin(sync)) == EVERY_STEP


def test_P15_a_plan_above_the_limits_is_left_to_the_task_that_asks(world: World) -> None:
    """It can wait for the answer without a process; nothing has left."""
    change_some(world)
    world.redefine(limits={"changes": {"contacts": 1, "share": 0.0}})
    before = world.writes()
    with world.sync() as sync:
        run_id = begin(sync)
        assert go_on(sync, run_id) == STAGED
        run = open_run(sync, run_id)
    assert run.approval is not None
    assert run.approval.decision is None
    assert world.writes() == before


def test_P15_a_step_that_fails_is_taken_again_by_its_own_task(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is wrong: there it is tried again, is red, and says what to do. What a step has done
    that had begun to send isn't open any more: that error is told at once."""
    change_some(world)
    poison = ["client1@example.com", "client2@example.com", "client6@example.com"]
    world.emulator.admin.settings(poison_emails=[*poison, "moved@example.com"])
    monkeypatch.setattr("contact_sync.run.send_batch.LOOK_SECONDS", 60.0)  # for several jobs
    with world.sync() as sync:
        run_id = begin(sync)
        with monkeypatch.context() as patch:
            patch.setattr(small_run, "select_clients", lambda *_: 1 / 0)
            assert go_on(sync, run_id) == CHECKED
        assert selected_slices(sync, open_run(sync, run_id)) is None
        with pytest.raises(FatalError, match="failed as a whole at SendGrid"):
            go_on(sync, run_id)


SLOW = pytest.mark.slow
POINTS = [
    "upserted_not_stored", "deleted_not_stored",
    *(pytest.param(point, marks=SLOW)
      for point in ("upsert_announced", "batch_submitted", "job_over", "batch_settled",
                    "delete_announced")),
]  # fmt: skip


@pytest.mark.parametrize("point", POINTS)
def test_P15_a_try_that_was_killed_while_it_sent_is_continued_by_the_next(
    world: World, point: str
) -> None:
    """Not by a run that had to wait until what has left can't take effect any more."""
    change_some(world)
    world.redefine(deadlines={"quarantine_minutes": 60})
    with world.sync() as sync:
        run_id = begin(sync)
        assert begun_by(sync, "test") is None
        with killed_at(point):
            go_on(sync, run_id)
        assert begun_by(sync, "somebody else") is None
        assert begun_by(sync, "test") == run_id
        assert go_on(sync, run_id) == EVERY_STEP
        finish_run(sync, open_run(sync, run_id))
        assert begun_by(sync, "test") is None
    world.assert_converged()


@pytest.mark.parametrize("point", ["slice_staged", pytest.param("run_planned", marks=SLOW)])
def test_P15_a_try_that_was_killed_before_is_begun_anew(world: World, point: str) -> None:
    """As ever: nothing of it has left."""
    change_some(world)
    with world.sync() as sync:
        run_id = begin(sync)
        with killed_at(point):
            go_on(sync, run_id)
        assert begun_by(sync, "test") is None
        run_id = begin(sync)
        assert go_on(sync, run_id) == EVERY_STEP
        finish_run(sync, open_run(sync, run_id))
    world.assert_converged()

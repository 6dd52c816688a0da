"""N: the state database fails over in the middle of a run, or a run can't write its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from contact_sync.base.errors import RetryableError
from contact_sync.base.vocabulary import RunKind
from contact_sync.postgres.cursor import Cursor
from contact_sync.reporting.run_report import run_report, text_report
from contact_sync.run import in_one_process
from contact_sync.run.start_run import start_run
from contact_sync.state.database import StateDatabase
from contact_sync.state.for_people.runs import run_of_id
from contact_sync.state.runs import Options
from tests.support.world import World

pytestmark = pytest.mark.own_connections

WORDS = {
    "lease_run_out": "gave no sign of life",
    "taken_over": "a person let the newer run take its lease over",
    "tried_again": "its first task was tried again",
    "too_old": "without a result for longer than any run may take",
}


@pytest.mark.parametrize("why", list(WORDS))
def test_N09_a_run_that_could_not_write_its_end_is_ended_by_the_next(
    world: World, why: str
) -> None:
    """Both reports say so: who ended it, when and why."""
    world.seed()
    world.run()  # with it hashes get their key, which ends dry runs at once
    options = Options(dry_run=why == "too_old")
    with world.sync() as sync:
        holder = "test" if why == "tried_again" else "killed"
        older = start_run(sync, RunKind.FULL, holder=holder, options=options)
    assert (world.report(older)["ended_by"], world.report(older)["ended"]) == (None, [])
    past = {
        "lease_run_out": "UPDATE contact_sync.sync SET lease_until = now()",
        "too_old": "UPDATE contact_sync.run SET started_at = now() - interval '25 hours'",
    }
    if statement := past.get(why):
        world.state(statement)
    newer = world.run(take_over=why == "taken_over")
    old = world.report(older)
    assert (old["ended_by"], old["ended_why"]) == (newer["id"], why)
    assert old["finished_at"] is not None
    assert newer["ended"] == [{"run_id": older, "why": why}]
    assert (newer["ended_by"], newer["ended_why"]) == (None, None)
    assert f"ended by    run {newer['id']}, because " in said(world, older)
    for run_id in (older, newer["id"]):
        assert WORDS[why] in said(world, run_id)
    assert world.run()["ended"] == []


def said(world: World, run_id: int) -> str:
    """A run's report as people read it."""
    with StateDatabase(world.state_url).transaction() as cursor:
        row = run_of_id(cursor, "demo", run_id)
    assert row is not None
    return text_report(run_report(row))


class FailsOver(StateDatabase):
    """A state database of which one transaction fails, or succeeds and its answer is lost."""

    def __init__(self, dsn: str, at: int, *, is_committed: bool) -> None:
        super().__init__(dsn)
        self.left, self.is_committed = at, is_committed

    @contextmanager
    def transaction(self, fence: tuple[int, int] | None = None) -> Iterator[Cursor]:
        """As the real one, save that one."""
        self.left -= 1
        fails = self.left == 0
        if fails and not self.is_committed:
            raise RetryableError("It gave up in the middle (25006)")
        with super().transaction(fence) as cursor:
            yield cursor
        if fails:
            raise RetryableError("It gave up in the middle (57P01)")


@pytest.mark.parametrize("is_committed", [False, True], ids=["nothing kept", "answer lost"])
def test_N05_a_fail_over_at_any_transaction_ends_no_run(
    world: World, monkeypatch: pytest.MonkeyPatch, *, is_committed: bool
) -> None:
    """It is tried again, on the command line, too; what was committed isn't done twice."""
    monkeypatch.setattr(in_one_process, "READ_PAUSE", 0.0)
    monkeypatch.setattr(in_one_process, "SUBMIT_PAUSE", 0.0)
    world.seed()
    world.run()
    at, was_over = 1, False
    while not was_over:
        world.edit(1, first_name=f"N{at}")
        failing = FailsOver(world.state_url, at, is_committed=is_committed)
        with world.sync() as sync, failing.keeping_connections() as state:
            in_one_process.run_sync(replace(sync, state=state), RunKind.INCREMENTAL, holder="test")
        assert world.report()["state"] == "succeeded"
        was_over = state.left > 0
        at += 3
    world.assert_converged()


def test_N05_the_first_error_is_told_when_the_end_cannot_be_written_either(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the next run ends the run."""
    monkeypatch.setattr(in_one_process, "READ_PAUSE", 0.0)
    world.seed()

    def fails(*_args: Any) -> None:
        raise RetryableError("The first error")

    def fails_too(*_args: Any) -> None:
        raise RetryableError("The second error")

    with monkeypatch.context() as patch:
        patch.setattr(in_one_process, "check_setup", fails)
        patch.setattr(in_one_process, "release_lease", fails_too)
        with pytest.raises(RetryableError, match="The first error"):
            world.run()
    assert world.report()["state"] == "running"
    assert world.run(take_over=True)["ended"][0]["why"] == "tried_again"

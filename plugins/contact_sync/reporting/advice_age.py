"""Whether what a run's page says to do is done, or out of date: by which run, and whose. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contact_sync.base.vocabulary import RunState
from contact_sync.reporting.shown_run import LaterRun, ShownRun


@dataclass(frozen=True, slots=True)
class Overtaken:
    """What has become of the advice of a run since: `said` is the end of a sentence that begins
    with the run `by`, whose holder is named; `at` is when that run ended, or began."""

    is_done: bool
    by: int
    holder: str
    said: str
    at: datetime


def overtaken(run: ShownRun, later: Sequence[LaterRun]) -> Overtaken | None:
    """By the first later run that succeeded, else by the newest one; None = the advice is good."""
    if run.state == RunState.RUNNING or not later:
        return None
    done = next((one for one in later if one.state == RunState.SUCCEEDED), None)
    if done is None:
        return _tried(later[-1])
    at, held = done.finished_at or done.started_at, run.plan.held_absences if run.plan else 0
    if run.dry_run:
        return Overtaken(False, done.run_id, done.holder,
                         "has read B2CORE again and sent what differed", at)  # fmt: skip
    if run.state != RunState.SUCCEEDED:
        return Overtaken(True, done.run_id, done.holder,
                         "continued from the same state and succeeded", at)  # fmt: skip
    if held and done.approve_removals == held:
        said = f"was started with approve removals = {held}, and succeeded"
        return Overtaken(True, done.run_id, done.holder, said, at)
    return Overtaken(False, done.run_id, done.holder, "has newer numbers", at)


def _tried(newest: LaterRun) -> Overtaken:
    if newest.state == RunState.RUNNING:
        return Overtaken(False, newest.run_id, newest.holder, "is at work now", newest.started_at)
    at = newest.finished_at or newest.started_at
    return Overtaken(False, newest.run_id, newest.holder,
                     "was started since then and didn't succeed: look at that one", at)  # fmt: skip

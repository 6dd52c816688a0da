"""How a sync stands and why, from its definition, its runs and its DAG. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from contact_sync.base import words
from contact_sync.base.json_columns import Result
from contact_sync.base.moments import moment
from contact_sync.base.standing import Standing
from contact_sync.base.vocabulary import RunState
from contact_sync.reporting.run_story import cause_in_short
from contact_sync.reporting.shown_run import ShownRun

LATE_AFTER = 2
"""So many times the distance of two runs of its schedule without a success make a sync late."""


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that has ended: contacts `sent` and confirmed, clients `rejected`."""

    run_id: int
    state: str
    sent: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The runs that say how a sync stands; None = there is none.

    `at_work` hasn't ended. `ended` is the newest one that came to an end, `succeeded` the newest
    one that did so well; dry runs and runs of chosen clients aren't among them. `past`: the newest
    runs that have ended, newest first. `first_try`: when the first one began.
    """

    at_work: ShownRun | None = None
    ended: ShownRun | None = None
    succeeded: ShownRun | None = None
    past: tuple[PastRun, ...] = ()
    first_try: datetime | None = None


@dataclass(frozen=True, slots=True)
class Switches:
    """What people have decided about a sync: `enabled` and `shadow` in its definition, `paused` in
    Airflow; `gap`: the distance of two runs of its schedule, None = it has none."""

    enabled: bool
    shadow: bool
    paused: bool
    gap: timedelta | None


@dataclass(frozen=True, slots=True)
class Stand:
    """A standing and the sentences that explain it; `run_id`: the run that they are about."""

    standing: Standing
    why: tuple[str, ...] = ()
    run_id: int | None = None


def stand_of(switches: Switches, runs: Overview, now: datetime) -> Stand:
    """The most urgent that holds."""
    return next(_those_that_hold(switches, runs, now))


def _those_that_hold(switches: Switches, runs: Overview, now: datetime) -> Iterator[Stand]:
    """In the order of their urgency; what sends nothing can't fail, be late or be degraded."""
    at_work = runs.at_work
    if at_work and at_work.approval and at_work.approval.is_awaited:
        asks = map(words.above_limit, at_work.approval.why)
        yield Stand(Standing.WAITING, tuple(asks), at_work.id)
    if switches.shadow and switches.enabled:
        yield Stand(Standing.HEALTHY, ("A shadow: it sends nothing, and is verified only",))
    if not switches.enabled:
        yield Stand(Standing.DISABLED, ("Its definition says enabled: false. It sends nothing",))
    yield from _of_runs(switches, runs, now)
    if switches.paused:
        yield Stand(Standing.PAUSED, ("Its DAG is paused in Airflow: no run begins",))
    if runs.ended is None:
        said = "Its first run is at work" if at_work else "Its first run loads every client"
        yield Stand(Standing.NEVER_RUN, (said,))
    yield Stand(Standing.HEALTHY)


def _of_runs(switches: Switches, runs: Overview, now: datetime) -> Iterator[Stand]:
    """What is wrong with what has run."""
    ended = runs.ended
    if ended and ended.state == RunState.FAILED:
        yield Stand(Standing.FAILED, (cause_in_short(ended) or words.NO_CAUSE,), ended.id)
    if said := _late(switches, runs, now):
        yield Stand(Standing.LATE, (said,), runs.at_work.id if runs.at_work else None)
    if ended and (news := _news(ended.result or Result())):
        yield Stand(Standing.DEGRADED, news, ended.id)


def _late(switches: Switches, runs: Overview, now: datetime) -> str:
    """Since when no run has succeeded, if that is too long ago for its schedule; "" = it isn't."""
    since = runs.succeeded.finished_at if runs.succeeded else runs.first_try
    if switches.paused or switches.gap is None or since is None:
        return ""
    if now - since <= LATE_AFTER * switches.gap:
        return ""
    began = "since" if runs.succeeded else "so far, and the first one began"
    said = f"No run has succeeded {began} {moment(since)}"
    return f"{said}: that is longer than {LATE_AFTER} times the distance of two runs"


def _news(result: Result) -> tuple[str, ...]:
    """What is worse than after the run before, a sentence each."""
    new = result.degraded if result.degraded_new is None else result.degraded_new
    said = words.degraded(new, result.restrained_by if new else {}, result.degraded)
    if dropped := sum((result.dropped_new or {}).values()):
        values = "value is" if dropped == 1 else "values are"
        said.append(f"{dropped:,} {values} newly left out, cut or rounded")
    return tuple(said)

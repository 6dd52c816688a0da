"""Why a run that is at work waits, and until when: in sentences. Pure.

What Airflow knows comes as AirflowSide, what the state database knows as StateSide. A sentence is
a tuple of texts and moments, because a page shows moments in its viewer's time zone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contact_sync.base.numbers import count
from contact_sync.config.deadlines import Deadlines
from contact_sync.reporting.run_story import dag_run_of

Said = tuple[str | datetime, ...]
"""A sentence."""
AT_ONCE = timedelta(seconds=30)
"""So long a task may stand in Airflow's queue before anybody asks why."""
NAMED = 5  # tasks of one kind that are named one by one
KILLED = "its process was killed (out of memory, or by a signal): the end of its log says which"


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A task that isn't over, as Airflow has it.

    `label`: which of several, such as "batch 12"; "" = there is one. `tries`: those that have
    begun, of `most_tries`. `next_try` and `why`: of one that has failed and is tried again, None
    and "" = Airflow doesn't know. `killed`: so many tries ended without a word. `since`: when it
    came into its state. `gives_up`: when Airflow ends the wait of one that is deferred, or
    asks a person.
    """

    task_id: str
    label: str
    state: str
    tries: int
    most_tries: int
    pool: str
    since: datetime | None = None
    next_try: datetime | None = None
    why: str = ""
    killed: int = 0
    gives_up: datetime | None = None

    @property
    def name(self) -> str:
        """The task, and which of several."""
        return f"{self.task_id} ({self.label})" if self.label else self.task_id


@dataclass(frozen=True, slots=True)
class PoolRoom:
    """A pool of Airflow: so many of its slots are taken; -1 slots = without a limit."""

    slots: int
    taken: int

    @property
    def is_full(self) -> bool:
        """Whether a task has to wait for a slot."""
        return 0 <= self.slots <= self.taken


@dataclass(frozen=True, slots=True)
class AirflowSide:
    """What keeps a DAG run from going on. `paused_by`: the end of a sentence, () = nobody knows.
    `pools`: those of its tasks, None = there is no such pool. `tasks`: the first ones that aren't
    over; there are `more`."""

    state: str
    is_paused: bool = False
    paused_by: Said = ()
    has_scheduler: bool = True
    has_triggerer: bool = True
    pools: Mapping[str, PoolRoom | None] = field(default_factory=dict)
    tasks: Sequence[OpenTask] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class StateSide:
    """What the state database knows of a sync's waits; columns of the statement `waits_of_run`.

    `holder` has the lease until `lease_until`, None = nobody. `unknown_at`: when a request left
    last without a definite answer. `earlier_jobs` jobs of earlier runs are open, the newest sent at
    `earlier_sent_at`. `waits_until`, `waits_why`: a call of the run that is tried again.
    `is_settling`: the run hasn't got past what earlier ones left. `sent_at`: when the run sent its
    first batch; `read_at`: when it began to read.
    """

    now: datetime
    holder: str | None = None
    lease_until: datetime | None = None
    unknown_at: datetime | None = None
    earlier_jobs: int = 0
    earlier_sent_at: datetime | None = None
    waits_until: datetime | None = None
    waits_why: str | None = None
    is_settling: bool = False
    sent_at: datetime | None = None
    read_at: datetime | None = None

    @property
    def awaits_earlier(self) -> bool:
        """Whether something that earlier runs sent keeps the run from beginning."""
        return self.is_settling and bool(self.unknown_at or self.earlier_jobs)


@dataclass(frozen=True, slots=True)
class Wait:
    """One reason to wait; `tone` as of a note. `is_for_person`: it doesn't end by itself."""

    tone: str
    said: Said
    is_for_person: bool = False


def waits(
    airflow: AirflowSide | None,
    state: StateSide | None,
    deadlines: Deadlines,
    *,
    has_run: bool,
) -> list[Wait]:
    """Why it doesn't go on just now, what a person has to do first. `has_run`: the DAG run has
    begun a run; before that it waits for the lease."""
    found = [*_of_airflow(airflow, state)] if airflow else []
    if state:
        found += _of_state(state, deadlines) if has_run else _for_lease(airflow, state)
    order = ("bad", "warn", "busy")
    return sorted(found, key=lambda wait: order.index(wait.tone))


def _of_airflow(seen: AirflowSide, state: StateSide | None) -> Iterator[Wait]:
    if seen.is_paused:
        yield Wait("warn", ("The DAG is paused", *seen.paused_by, ": what has begun goes on, and "
                            "Airflow begins no further task until somebody unpauses it."),
                   is_for_person=True)  # fmt: skip
    if not seen.has_scheduler:
        yield Wait("bad", ("No scheduler of Airflow is alive, so no task is begun: see whether "
                           "`airflow scheduler` is running.",), is_for_person=True)  # fmt: skip
    if seen.state == "queued" and not seen.is_paused:
        yield Wait("busy", ("The DAG run is queued: it begins when the run of this DAG before it "
                            "is over.",))  # fmt: skip
    if any(task.state == "deferred" for task in seen.tasks) and not seen.has_triggerer:
        ends = [t.gives_up for t in seen.tasks if t.gives_up and t.state == "deferred"]
        until: Said = (" Airflow ends the wait at ", min(ends), ".") if ends else ()
        yield Wait("bad", ("No triggerer of Airflow is alive, so nobody looks whether the waiting "
                           "tasks may go on: see whether `airflow triggerer` is running.",
                           *until), is_for_person=True)  # fmt: skip
    for task in seen.tasks:
        if task.state == "awaiting_input" and task.gives_up:
            yield Wait("warn", ("Without a person's answer until ", task.gives_up,
                                " nothing is sent, and the run ends red."))  # fmt: skip
    yield from _retried([task for task in seen.tasks if task.state == "up_for_retry"])
    now = state.now if state else None
    yield from _queued([task for task in seen.tasks if task.state in ("scheduled", "queued")],
                       seen, now)  # fmt: skip


def _retried(tasks: Sequence[OpenTask]) -> Iterator[Wait]:
    for task in tasks[:NAMED]:
        why = task.why
        if task.killed and not why:
            why = KILLED + (f"; {task.killed} times so far" if task.killed > 1 else "")
        begins: Said = (" at ", task.next_try) if task.next_try else (" within minutes",)
        yield Wait(
            "warn",
            (f"{task.name} has failed and is tried again: try {task.tries + 1} of "
             f"{task.most_tries}", *begins,
             f", because of this: {why.rstrip('.')}" if why else "; its log says why", "."),
        )  # fmt: skip
    if (left := len(tasks) - NAMED) > 0:
        yield Wait(
            "warn",
            (f"{count(left, 'more task has', 'more tasks have')} failed, to be tried again.",),
        )


def _queued(tasks: Sequence[OpenTask], seen: AirflowSide, now: datetime | None) -> Iterator[Wait]:
    by_pool: dict[str, list[OpenTask]] = defaultdict(list)
    for task in tasks:
        by_pool[task.pool].append(task)
    for pool, waiting in by_pool.items():
        who = waiting[0].name if len(waiting) == 1 else f"{len(waiting):,} tasks"
        verb = "waits" if len(waiting) == 1 else "wait"
        room = seen.pools.get(pool)
        made = f'`airflow pools set {pool} 4 "Calls to SendGrid"`'
        if room is None:
            said = f"{who} {verb} for the pool {pool!r}, which isn't there: {made} makes it."
            yield Wait("bad", (said,), is_for_person=True)
        elif room.slots == 0:
            said = f"{who} {verb} for the pool {pool!r}, which has 0 slots: {made} gives it some."
            yield Wait("bad", (said,), is_for_person=True)
        elif room.is_full and any(task.state == "scheduled" for task in waiting):
            yield Wait("busy", (f"{who} {verb} for a slot of the pool {pool!r}: {room.taken:,} of "
                                f"{room.slots:,} are taken.",))  # fmt: skip
        else:
            since = min((task.since for task in waiting if task.since), default=None)
            if since and now and now - since > AT_ONCE and not seen.is_paused:
                yield Wait("warn", (f"{who} {verb} for a worker since ", since,
                                    ": see whether one is running and has room."))  # fmt: skip


def _of_state(state: StateSide, deadlines: Deadlines) -> Iterator[Wait]:
    if state.waits_until and state.waits_until > state.now:
        yield Wait("busy", (f"A call waits, because of this: {state.waits_why}. It is tried again "
                            f"at ", state.waits_until, "."))  # fmt: skip
    if not state.is_settling:
        return
    quarantine = timedelta(minutes=deadlines.quarantine_minutes)
    if state.unknown_at and state.unknown_at + quarantine > state.now:
        yield Wait("busy", ("A request left at ", state.unknown_at, " and no answer came: it may "
                            "still take effect at SendGrid, so nothing newer is sent before ",
                            state.unknown_at + quarantine, "."))  # fmt: skip
    if state.earlier_jobs and state.earlier_sent_at:
        jobs = "A job" if state.earlier_jobs == 1 else f"{state.earlier_jobs:,} jobs"
        ends = state.earlier_sent_at + timedelta(hours=deadlines.job_hours)
        yield Wait("busy", (f"{jobs} of an earlier run at SendGrid "
                            f"{'isn' if state.earlier_jobs == 1 else 'aren'}'t over: nothing newer "
                            f"is sent before. It is waited for until ", ends,
                            " at the latest."))  # fmt: skip


def _for_lease(airflow: AirflowSide | None, state: StateSide) -> Iterator[Wait]:
    if airflow and airflow.state != "queued" and state.holder and state.lease_until:
        dag_run = dag_run_of(state.holder)
        holder = f"DAG run {dag_run[1]}" if dag_run else state.holder
        yield Wait("busy", (f"Another run is at work on this sync: {holder}. This one looks "
                            f"every 15 seconds, for 12 hours at most. If that run is dead, its "
                            f"lease ends at ", state.lease_until, "."))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Progress:
    """How far something has got: `done` of `total`, named `what`; `rate` a second and `left`
    seconds, None = not known yet."""

    what: str
    done: int
    total: int
    rate: float | None = None
    left: float | None = None


def progress(
    what: str, done: int, total: int, since: datetime | None, now: datetime | None
) -> Progress:
    """With the rate since then, and how long the rest takes at this rate."""
    seconds = (now - since).total_seconds() if since and now else 0.0
    if seconds < 1 or done <= 0 or done >= total:
        return Progress(what, done, total)
    rate = done / seconds
    return Progress(what, done, total, rate, (total - done) / rate)

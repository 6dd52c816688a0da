"""Why Airflow and the report say different things of one run: in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contact_sync.base.vocabulary import RunState
from contact_sync.reporting.shown_run import ShownRun
from contact_sync.reporting.waiting import Said

OVER = ("success", "failed")


class Deed(StrEnum):
    """What a person did to a DAG run in Airflow; never stored."""

    MARKED_RUN = "marked_run"
    MARKED = "marked"
    CHANGED = "changed"
    CLEARED_RUN = "cleared_run"
    CLEARED = "cleared"


WORDS = {
    Deed.MARKED_RUN: "marked the DAG run as {state}",
    Deed.MARKED: "marked {task} as {state}",
    Deed.CHANGED: "changed the state of tasks",
    Deed.CLEARED_RUN: "cleared the DAG run",
    Deed.CLEARED: "cleared {task}",
}
CLEARING = (Deed.CLEARED, Deed.CLEARED_RUN)


@dataclass(frozen=True, slots=True)
class ByHand:
    """One thing that somebody did, as Airflow's audit log has it. `task`: its name or names, "" =
    it isn't said; `state`: what it was marked as."""

    deed: Deed
    who: str
    at: datetime
    task: str = ""
    state: str = ""

    @property
    def said(self) -> Said:
        """Who did what, when."""
        what = WORDS[self.deed].format(state=self.state, task=self.task or "tasks")
        return (f"{self.who} {what} at ", self.at)


@dataclass(frozen=True, slots=True)
class OverInAirflow:
    """The DAG run of a run as Airflow has it. `deeds`: what people did to it; `killed`: how many
    tries of each task ended without a word; `failed`: the first task that failed, "" = none, and
    `failed_before` why one of its earlier tries did, "" = there is none."""

    state: str
    deeds: Sequence[ByHand] = ()
    killed: Mapping[str, int] | None = None
    failed: str = ""
    failed_before: str = ""

    @property
    def marked_failed(self) -> Said:
        """Who marked it, or a task of it, as failed, and when; () = nobody did."""
        marked = [deed.said for deed in self.deeds if deed.state == "failed"]
        return marked[-1] if marked else ()


def both_sides(seen: OverInAirflow, run: ShownRun | None) -> list[Said]:
    """What people did, what was killed, and why both sides don't agree where they don't."""
    found = [*_deeds(seen.deeds, run), *_killed(seen.killed or {})]
    if seen.failed_before and not (run and run.cause):
        found.append((f"{seen.failed} failed again and again; an earlier try because of this: "
                      f"{seen.failed_before.rstrip('.')}.",))  # fmt: skip
    return [*found, *_contradiction(seen, run)] if run else found


def _deeds(deeds: Sequence[ByHand], run: ShownRun | None) -> Iterator[Said]:
    """A task that is cleared when its run is over refuses; before, it is only tried again."""
    for deed in deeds:
        ended = run.finished_at if run else None
        if deed.deed in CLEARING and ended and deed.at > ended:
            yield (*deed.said, ". The run was over by then, so its tasks refuse and send nothing: "
                   "trigger a new run instead.")  # fmt: skip
        else:
            yield (*deed.said, ".")


def _killed(killed: Mapping[str, int]) -> Iterator[Said]:
    for task, tries in sorted(killed.items()):
        times = "once" if tries == 1 else f"{tries} times"
        yield (f"The process of {task} was killed {times}: out of memory, or by a signal. The end "
               f"of the task's log says which; nothing is lost by it.",)  # fmt: skip


def _contradiction(seen: OverInAirflow, run: ShownRun) -> Iterator[Said]:
    if seen.state not in OVER:
        return
    by_hand = any(deed.deed is not Deed.CLEARED for deed in seen.deeds)
    if run.state == RunState.RUNNING:
        why = "nobody released its lease"
        yield (f"Airflow says {seen.state}, and this run hasn't ended: {why}. The next run ends it "
               f"and continues from the same state; trigger one.",)  # fmt: skip
    elif run.state == RunState.SUCCEEDED and seen.state == "failed":
        why = f"{seen.failed} failed after that" if seen.failed else "a task failed after that"
        why = "that is what a person made of it" if by_hand else why
        yield (f"Airflow says failed, and the run came to its end before: all its work is done, "
               f"and {why}.",)  # fmt: skip
    elif run.state != RunState.SUCCEEDED and seen.state == "success":
        why = (
            "a person marked it so" if by_hand
            else "its last task, release_lease, didn't run as usual"
        )  # fmt: skip
        yield (f"Airflow says success, and the run {_how(run)}: {why}. What counts is this "
               f"report.",)  # fmt: skip


def _how(run: ShownRun) -> str:
    if run.state == RunState.SUPERSEDED:
        return f"was ended by run {run.ended_by:,}" if run.ended_by else "was ended by a newer one"
    return "has failed"

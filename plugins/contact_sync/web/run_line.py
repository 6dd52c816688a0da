"""One run as a line of a table and as a bar of the chart. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contact_sync.base.vocabulary import RunState
from contact_sync.reporting.run_report import RunReport, run_report
from contact_sync.reporting.run_story import dag_run_of
from contact_sync.reporting.shown_run import ShownRun


@dataclass(frozen=True, slots=True)
class Tag:
    """A short word in colour; `tone` is good, bad, warn or busy."""

    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run's state and numbers; also of an unfinished or failed one with what it has
    sent: contacts `confirmed`, and `removed` or taken off the list; clients `rejected`.

    `seconds` are those until now for a run that hasn't ended. `books` is {} until a run has
    balanced them; `dropped`: values that are left out, cut or rounded, None = not counted.
    `dag_run` = (DAG id, run id); None for the command line.
    """

    id: int
    kind: str
    tag: Tag
    state: str
    started_at: datetime
    finished_at: datetime | None
    seconds: float
    read: int
    confirmed: int
    removed: int
    rejected: int
    books: dict[str, int]
    dropped: int | None
    dag_run: tuple[str, str] | None

    @property
    def has_failed(self) -> bool:
        """Whether it ended before its end."""
        return self.state in ("failed", "superseded")


def run_line(run: ShownRun) -> RunLine:
    """From a run."""
    report = run_report(run)
    return RunLine(
        id=report.id,
        kind=kind_of(report),
        tag=tag_of(report),
        state=report.state,
        started_at=report.started_at,
        finished_at=report.finished_at,
        seconds=report.seconds,
        read=report.counts.get("read", 0),
        confirmed=run.sending.confirmed,
        removed=run.sending.removed,
        rejected=report.counts.get("rejected", 0),
        books=report.books,
        dropped=None if (now := report.dropped_now) is None else sum(now.values()),
        dag_run=dag_run_of(run.holder),
    )


def kind_of(report: RunReport) -> str:
    """The kind of the report's run, such as "full, dry run"."""
    return f"{report.kind}, dry run" if report.dry_run else report.kind


def tag_of(report: RunReport) -> Tag:
    """The state of the report's run."""
    state = report.state
    if state == "succeeded" and report.is_degraded:
        return Tag("degraded", "warn")
    tones = {"succeeded": "good", "running": "busy", "failed": "bad"}
    return Tag(state, tones.get(state, "warn"))


def approval_of(report: RunReport, *, has_plan: bool) -> list[str]:
    """What a person was asked about its plan, and the answer; a line each."""
    is_running = report.state == RunState.RUNNING
    if report.approval:
        nobody = "waiting for a person" if is_running else "nobody answered before the run ended"
        return [report.answer or nobody, *report.asks]
    if report.above_limits:
        asks = "a real run would ask" if report.dry_run else "the plan is above the limits"
        return [asks, *report.above_limits]
    if has_plan:
        return ["not needed: the plan is within the limits"]
    return ["not known yet" if is_running else "not known: the run ended before its plan was made"]

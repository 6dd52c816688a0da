"""One run as its page shows it: what the template lays out, in the order of the page. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from contact_sync.base import words
from contact_sync.config.deadlines import Deadlines
from contact_sync.reporting import run_story
from contact_sync.reporting.advice_age import Overtaken, overtaken
from contact_sync.reporting.run_report import RunReport, reasons_in_words, run_report
from contact_sync.reporting.sending import Sending
from contact_sync.reporting.shown_run import LaterRun, ShownRun, SliceProgress
from contact_sync.reporting.waiting import Progress, StateSide
from contact_sync.state.for_people.jobs import BatchJob
from contact_sync.state.for_people.rejected import ExampleClient
from contact_sync.web.formats import count, number
from contact_sync.web.links import reason_query
from contact_sync.web.run_line import Tag, approval_of, kind_of, tag_of
from contact_sync.web.run_progress import Job, job_of, progress_of

JOBS = 100
EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Found:
    """What the state database says of one run: the run itself, up to
    JOBS + 1 jobs, clients that it rejected for each of its reasons, why it waits, None = it
    is over, and the runs since then."""

    run: ShownRun
    slices: SliceProgress
    jobs: list[BatchJob]
    rejected: dict[str, list[ExampleClient]]
    waits: StateSide | None
    later: list[LaterRun]

    @property
    def dag_run(self) -> tuple[str, str] | None:
        """The DAG run that it belongs to: DAG id and run id; None for the command line."""
        return run_story.dag_run_of(self.run.holder)

    @property
    def is_settling(self) -> bool:
        """Whether what earlier runs sent keeps it from beginning."""
        return self.waits is not None and self.waits.awaits_earlier


@dataclass(frozen=True, slots=True)
class Rejection:
    """A reason of the run, and the first clients that it rejected for it: id, name, address, and
    what has become of them; `query`: that of the page with all that are rejected for it now."""

    why: str
    query: dict[str, str]
    n: int
    clients: list[tuple[int, str, str, str]]


@dataclass(frozen=True, slots=True)
class DroppedReason:
    """A field and reason for which values are left out, cut or rounded: how many as of the run, and
    how many of them are new. `query`: that of the page which has all of them."""

    why: str
    query: dict[str, str]
    now: int
    new: int | None


@dataclass(frozen=True, slots=True)
class ReasonTable:
    """Reasons that the run counted: (reason, number of clients)."""

    title: str
    note: str
    rows: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class RunView:
    """One run. Empty texts and lists, and None, are what the page leaves out.

    `cause` is the first sentence of why it failed, `details` is whatever more was said. `approval`
    are lines, as `ended` are: runs that it has ended. `sent_note` stands for the figures where
    there are none. `report_gone_at`: since when all but its times is deleted.
    """

    id: int
    title: str
    tag: Tag
    state: str
    is_degraded: bool
    cause: str
    details: str
    ended: list[str]
    phase: str
    progress: list[Progress]
    steps: list[run_story.Step]
    overtaken: Overtaken | None
    kind: str
    kind_reason: str
    look: str
    unproven: str
    reason: str
    started_at: datetime
    seconds: float
    report_gone_at: datetime | None
    retries_rejected: bool
    approved_removals: int | None
    read_at: datetime | None
    approval: list[str]
    holder: str
    dag_run: tuple[str, str] | None
    sent_note: str
    figures: list[tuple[str, int]]
    at_sendgrid: str
    books: str
    counts: list[tuple[str, str, int]]
    rejections: list[Rejection]
    dropped_note: str
    dropped: list[DroppedReason]
    tables: list[ReasonTable]
    jobs: list[Job]
    more_jobs: bool

    @property
    def has_open_jobs(self) -> bool:
        """Whether SendGrid works on something."""
        return any(job.gives_up for job in self.jobs)

    @property
    def is_running(self) -> bool:
        """Whether it hasn't ended."""
        return self.state == "running"

    @property
    def has_failed(self) -> bool:
        """Whether it ended with an error."""
        return self.state == "failed"


def run_view(found: Found, shown: Callable[[str | None], str], deadlines: Deadlines) -> RunView:
    """What the page says of a run; `shown` gives an address as the viewer may see it."""
    run, report = found.run, run_report(found.run)
    cause, details = run_story.cause(run)
    is_running = report.state == "running"
    snapshot = run.snapshot
    return RunView(
        id=report.id,
        title=f"Run {report.id:,}: {kind_of(report)}",
        tag=tag_of(report),
        state=report.state,
        is_degraded=report.state == "succeeded" and report.is_degraded,
        cause=cause,
        details=details,
        ended=report.ended_in_words,
        phase=run_story.phase(run, found.slices, run.sending, is_settling=found.is_settling)
        if is_running
        else "",
        progress=progress_of(run, found.slices, found.waits) if is_running else [],
        steps=run_story.next_steps(run, report, run.sending),
        overtaken=overtaken(run, found.later),
        kind=report.kind,
        kind_reason=report.kind_in_words,
        look=report.look_in_words,
        unproven=run.unproven_in_words,
        reason=report.reason or "",
        started_at=report.started_at,
        seconds=report.seconds,
        report_gone_at=report.report_gone_at,
        retries_rejected=run.retry_rejected,
        approved_removals=run.approve_removals,
        read_at=datetime.fromisoformat(snapshot.read_at) if snapshot else None,
        approval=approval_of(report, has_plan=bool(run.plan)),
        holder=run.holder,
        dag_run=found.dag_run,
        sent_note=_sent_note(report, found.jobs),
        figures=_figures(run.sending),
        at_sendgrid=run.sending.at_sendgrid,
        books=_books(report.books, run.plan.held_absences if run.plan else 0),
        counts=plan_counts(report.counts),
        rejections=_rejections(report, found.rejected, shown),
        dropped_note=_dropped_note(report),
        dropped=_dropped(report),
        tables=_tables(report),
        jobs=[job_of(job, deadlines) for job in found.jobs[:JOBS]],
        more_jobs=len(found.jobs) > JOBS,
    )


def _sent_note(report: RunReport, jobs: list[BatchJob]) -> str:
    if report.dry_run:
        return "Nothing: a dry run changes nothing, here or at SendGrid."
    if jobs:
        return ""
    return "Nothing so far." if report.state == "running" else "Nothing."


def _figures(sending: Sending) -> list[tuple[str, int]]:
    """What has become of the contacts to send, and how many are removed: (words, number)."""
    removed = [("removed or taken off the list", sending.removed)] if sending.removed else []
    return [("to send", sending.to_send), *sending.terms, *removed]


def _books(books: dict[str, int], held: int) -> str:
    if not books:
        return ""
    parts = " + ".join(
        f"{number(books[state])} {state}"
        for state in ("confirmed", "pending", "rejected", "excluded")
    )
    more, stay = f" + {number(books['gone'])} that are gone" if books.get("gone") else "", ""
    if held:
        more = f" + {number(held)} held as absent"
        stay = " Contacts of absent clients stay until a person says that they are really gone."
    return f"{count(books['selected'], 'client')} in B2CORE{more} = {parts}.{stay}"


def plan_counts(counts: dict[str, int]) -> list[tuple[str, str, int]]:
    """(word, meaning, number) of what the plan counts."""
    return [
        (word, meaning, counts[key])
        for key, (word, meaning) in words.COUNTS.items()
        if key in counts and (counts[key] or key in ("read", "to_send", "rejected"))
    ]


def _rejections(
    report: RunReport,
    rejected: Mapping[str, list[ExampleClient]],
    shown: Callable[[str | None], str],
) -> list[Rejection]:
    """Each reason of the run with its number, the most frequent first."""

    def named(client: ExampleClient) -> tuple[int, str, str, str]:
        is_left = client.is_rejected or report.dry_run or report.state == "running"
        name = client.client_key or str(client.client_id)
        return client.client_id, name, shown(client.email), "" if is_left else "not any more"

    return [
        Rejection(
            words.counted_in_words(why, has_field=True),
            reason_query(*words.parts_of(why, has_field=True)),
            n,
            [named(client) for client in rejected[why][:EXAMPLES]],
        )
        for why, n in sorted(report.rejections.items(), key=lambda item: -item[1])
        if n
    ]


def _dropped_now(report: RunReport) -> dict[str, int] | None:
    """None also where a run that failed has read nobody, or found none: it says nothing of them."""
    says_nothing = report.state == "failed" and not (
        report.counts.get("read") and report.dropped_now
    )
    return None if says_nothing else report.dropped_now


def _dropped_note(report: RunReport) -> str:
    now, new = _dropped_now(report), report.dropped_new
    if now is None:
        return ""
    said = count(sum(now.values()), "value is", "values are") + " left out, cut or rounded"
    return f"{said}." if new is None else f"{said}, {number(sum(new.values()))} of them new."


def _dropped(report: RunReport) -> list[DroppedReason]:
    """Each field and reason with its numbers, the most frequent first."""
    now, new = _dropped_now(report) or {}, report.dropped_new
    return [
        DroppedReason(
            words.counted_in_words(key, has_field=True),
            reason_query(*words.parts_of(key, has_field=True)),
            n,
            None if new is None else new.get(key, 0),
        )
        for key, n in sorted(now.items(), key=lambda item: (-item[1], item[0]))
    ]


def _tables(report: RunReport) -> list[ReasonTable]:
    counted = reasons_in_words(report)
    tables = (
        ("Excluded, by reason", "must not be sent", "exclusions"),
        ("Values dropped or cut", "of the clients that the run read",
         "dropped"),
        ("Values that SendGrid can't clear", "Number and Date fields that B2CORE emptied",
         "stale"),
        ("Sent although SendGrid suppresses them", "as the definition says: `warn`", "warned"),
    )  # fmt: skip
    return [
        ReasonTable(title, note, list(counted[name].items()))
        for title, note, name in tables
        if counted[name] and (name != "dropped" or report.dropped_new is None)
    ]

"""A run's report from its row in the state database: for the command line, logs and pages. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from contact_sync.base import run_life, source_look, words
from contact_sync.base.json_columns import Approval, JobReport, Plan, Result
from contact_sync.base.moments import moment
from contact_sync.base.numbers import count
from contact_sync.base.run_life import ENDED
from contact_sync.base.suppressed import KINDS
from contact_sync.base.vocabulary import (
    REMOVALS,
    Lane,
    RunState,
)
from contact_sync.reporting.degraded import is_removed
from contact_sync.reporting.sending import Sending
from contact_sync.reporting.shown_run import ShownRun

REASONS = {
    "rejections": "rejected", "exclusions": "excluded", "dropped": "value dropped or cut",
    "stale": "stale at SendGrid", "warned": "sent although SendGrid suppresses the address",
}  # fmt: skip
"""The reasons that a report counts, by their field in it, with their titles."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run, for people and for machines; the fields' names are keys of `status --json`.

    `kind_reason`, and the keys of `rejections`, `exclusions`, `dropped`, `stale` and `warned`, are
    codes and what `words.counted` makes of them; `look` and `look_why` are codes (base.source_look;
    None = not known): how much of B2CORE was read. `degraded` and `above_limits` are sentences.
    `dropped_now` and `dropped_new` as in Result, `ended_by`, `ended_why`, `ended` and
    `report_gone_at` as in ShownRun. `seconds`: those until now for a run that hasn't ended.
    `sending`: what became of the contacts to send. `is_degraded`: something of `degraded` is new,
    or a value is newly dropped. `compared` and `changed_fields` as in Plan.
    """

    id: int
    kind: str
    kind_reason: str | None
    kind_detail: str | None
    look: str | None
    look_why: str | None
    look_detail: str | None
    dry_run: bool
    state: str
    reason: str | None
    cause: str | None
    ended_by: int | None
    ended_why: str | None
    ended: Sequence[dict[str, Any]]
    started_at: datetime
    finished_at: datetime | None
    seconds: float
    report_gone_at: datetime | None
    counts: dict[str, int]
    sending: Sending
    degraded: list[str]
    is_degraded: bool
    approval: Approval | None
    above_limits: list[str]
    books: dict[str, int]
    rejections: dict[str, int]
    exclusions: dict[str, int]
    dropped: dict[str, int]
    dropped_now: dict[str, int] | None
    dropped_new: dict[str, int] | None
    stale: dict[str, int]
    warned: dict[str, int]
    compared: int
    changed_fields: dict[str, int]
    jobs: tuple[JobReport, ...]

    @property
    def asks(self) -> list[str]:
        """What of the plan a person is, or was, asked about: a sentence for each limit."""
        return [words.above_limit(above) for above in self.approval.why] if self.approval else []

    @property
    def answer(self) -> str:
        """What a person said to the plan, and who; "" = nothing, or nobody has to."""
        found = self.approval
        return f"{words.ANSWERS[found.decision]} by {found.by}" if found and found.decision else ""

    @property
    def kind_in_words(self) -> str:
        """Why the run is of its kind; "" = not known yet."""
        return run_life.kind_reason(self.kind_reason, self.kind_detail) if self.kind_reason else ""

    @property
    def look_in_words(self) -> str:
        """How much of B2CORE was read, and why; "" = not known."""
        if not (self.look and self.look_why):
            return ""
        return source_look.look_in_words(self.look, self.look_why, self.look_detail)

    @property
    def ended_by_in_words(self) -> str:
        """Which run has ended this one, and why; "" = it ended itself, or runs."""
        return f"run {self.ended_by:,}, because {ENDED[self.ended_why]}" if self.ended_why else ""

    @property
    def ended_in_words(self) -> list[str]:
        """Which runs it has ended, because they couldn't write their end."""
        return [f"run {each['run_id']:,}, because {ENDED[each['why']]}" for each in self.ended]

    def to_json(self) -> dict[str, Any]:
        """For `status --json`: the approval as it is stored, its reasons as sentences."""
        approval = self.approval and self.approval.to_json()
        why = {"why": self.asks} if self.asks else {}
        jobs = [job.to_json() for job in self.jobs]
        return asdict(self) | {"approval": approval and approval | why, "jobs": jobs}


def run_report(run: ShownRun) -> RunReport:
    """From a run's row."""
    plan = run.plan or Plan()
    result = run.result or Result()
    seen = run.snapshot
    return RunReport(
        id=run.id,
        kind=run.kind,
        kind_reason=run.kind_reason,
        kind_detail=run.kind_detail,
        look=(seen and seen.look) or None,
        look_why=(seen and seen.look_why) or None,
        look_detail=seen.look_detail if seen else None,
        dry_run=run.dry_run,
        state=run.state,
        reason=run.reason,
        cause=run.cause,
        ended_by=run.ended_by,
        ended_why=run.ended_why,
        ended=run.ended or [],
        started_at=run.started_at,
        finished_at=run.finished_at,
        seconds=round(run.seconds, 2),
        report_gone_at=run.report_gone_at,
        counts=run_counts(plan, result, run.sending),
        sending=run.sending,
        degraded=words.degraded(result.degraded, result.restrained_by),
        is_degraded=_is_degraded(result),
        approval=run.approval,
        above_limits=[words.above_limit(above) for above in plan.above_limits],
        books=result.books,
        rejections=plan.rejections | result.refused,
        exclusions=plan.exclusions,
        dropped=_sum(plan.dropped, result.dropped),
        dropped_now=result.dropped_now,
        dropped_new=result.dropped_new,
        stale=plan.stale,
        warned=plan.warned,
        compared=plan.compared,
        changed_fields=plan.changed_fields,
        jobs=result.jobs,
    )


def _is_degraded(result: Result) -> bool:
    """Whether something is worse than after the run before. A result of an older version that
    doesn't compare: whether something isn't as it should be."""
    if result.degraded_new is None:
        return bool(result.degraded)
    return bool(result.degraded_new or any((result.dropped_new or {}).values()))


def _sum(planned: dict[str, int], while_sent: dict[str, int]) -> dict[str, int]:
    return planned | {why: planned.get(why, 0) + n for why, n in while_sent.items()}


def run_counts(plan: Plan, result: Result, sending: Sending) -> dict[str, int]:
    """How many clients a run read and chose, and how many contacts it sent, as SendGrid has
    confirmed, and removed."""
    counts, jobs = dict(plan.counts), result.jobs
    lanes = {lane: [job for job in jobs if job.lane == lane] for lane in REMOVALS}
    counts["sent"] = sending.confirmed
    if "to_move" in counts:
        counts["moved"] = sum((job.numbers or {}).get("moved", 0) for job in jobs)
    if sending.rejected:
        counts["rejected"] = counts.get("rejected", 0) + sending.rejected
    counts["removed"] = sum(job.rows for job in lanes[Lane.DELETE] if is_removed(job))
    counts["unlisted"] = sum(job.rows for job in lanes[Lane.UNLIST] if is_removed(job))
    return counts


def reasons_in_words(found: RunReport | Plan) -> dict[str, dict[str, int]]:
    """For each of REASONS: the clients that it counts, by reason in words."""

    def said(counted: dict[str, int], *, has_field: bool) -> dict[str, int]:
        return {words.counted_in_words(k, has_field=has_field): n for k, n in counted.items()}

    return {
        "rejections": said(found.rejections, has_field=True),
        "exclusions": said(found.exclusions, has_field=False),
        "dropped": said(found.dropped, has_field=True),
        "stale": dict(found.stale),
        "warned": {KINDS[kind]: n for kind, n in found.warned.items()},
    }


def field_lines(compared: int, by_field: Mapping[str, int]) -> list[str]:
    """How many changed clients change which field, of those that were compared."""
    if not compared:
        return []
    found = [f"  {name}: {n:,}" for name, n in by_field.items()]
    return [f"changed, by field, of {compared:,} that were compared with SendGrid:", *found]


def dropped_lines(now: Mapping[str, int] | None, new: Mapping[str, int] | None) -> list[str]:
    """How many values are dropped, cut or rounded, and how many of them are new: the sum, then by
    field and reason. `new` None = it was a dry run; `now` None = not counted: no line."""
    if now is None:
        return []

    def line(what: str, n: int, fresh: int) -> str:
        return f"{what}: {n:,} now" + ("" if new is None else f", {fresh:,} new")

    total = line("values dropped or cut", sum(now.values()), sum((new or {}).values()))
    return [total] + [
        "  " + line(words.counted_in_words(key, has_field=True), n, (new or {}).get(key, 0))
        for key, n in sorted(now.items(), key=lambda item: (-item[1], item[0]))
    ]


def text_report(report: RunReport) -> str:
    """One run for people."""
    title = f"Run {report.id:,}: {report.kind}{', dry run' if report.dry_run else ''}"
    lines = [f"{title}, {report.state} in {report.seconds:.1f} s"]
    lines += [f"  why         {report.kind_in_words}"] if report.kind_reason else []
    lines += [f"  read        {report.look_in_words}"] if report.look else []
    lines += [f"  reason      {report.reason}"] if report.reason else []
    if report.report_gone_at:
        return "\n".join(
            [*lines, f"  report      {words.REPORT_GONE} {moment(report.report_gone_at)}"]
        )
    cause = report.cause or (words.NO_CAUSE if report.state == RunState.FAILED else "")
    lines += [f"  cause       {cause}"] if cause else []
    lines += [f"  ended by    {report.ended_by_in_words}"] if report.ended_why else []
    lines += [f"  ended       {said}" for said in report.ended_in_words]
    asked = f"{'; '.join(report.asks)}: {report.answer or 'waiting'}"
    lines += [f"  approval    {asked}"] if report.approval else []
    lines += [f"  to approve  {what}" for what in report.above_limits]
    lines += [f"  degraded    {what}" for what in report.degraded]
    if not report.dry_run:
        lines += [f"  sending     {report.sending.in_words}"]
        said = report.sending.at_sendgrid
        lines += [f"  SendGrid    counts {said}"] if said else []
    lines += [f"  {word:<15} {n:>9,}" for word, n in words.counts_in_order(report.counts)]
    lines += [f"  {line}" for line in field_lines(report.compared, report.changed_fields)]
    counted = reasons_in_words(report)
    for key, title in REASONS.items():
        if key != "dropped" or report.dropped_new is None:
            lines += [f"  {title}: {n:,} x {reason}" for reason, n in counted[key].items()]
    lines += [f"  {line}" for line in dropped_lines(report.dropped_now, report.dropped_new)]
    lines += [_job_line(job) for job in report.jobs]
    return "\n".join(lines)


def _job_line(job: JobReport) -> str:
    seconds = f"{job.seconds:.1f} s" if job.seconds is not None else "-"
    outcome = words.outcome(job.outcome, job.numbers)
    return (
        f"  job {job.job_id or '-'} {words.LANES[job.lane]:<17} {count(job.rows, 'contact'):>16}  "
        f"{job.status or words.BATCH_STATES[job.state]}, {outcome}, {seconds}"
    )

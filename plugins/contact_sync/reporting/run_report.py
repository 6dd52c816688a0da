"""A run's report from its row in the state database: for the command line, logs and pages. Pure.

Reasons and outcomes in it are codes of base/vocabulary.py, with their numbers and details beside
them; what is above a limit or degraded is a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contact_sync.base import words
from contact_sync.base.json_columns import Approval, Plan, Result
from contact_sync.base.vocabulary import (
    NOTHING_TO_REMOVE,
    REMOVALS,
    UPSERTS,
    Degraded,
    Lane,
    Outcome,
    RunState,
)
from contact_sync.reporting.shown_run import ShownRun

REASONS = {
    "rejections": "rejected", "exclusions": "excluded", "dropped": "value dropped or cut",
    "stale": "stale at SendGrid",
}  # fmt: skip
"""The reasons that a report counts, with their titles."""


def run_report(run: ShownRun) -> dict[str, Any]:
    """One run for machines; the keys are part of `status --json`."""
    plan = run.plan or Plan()
    result = run.result or Result()
    approval = run.approval
    return {
        "id": run.id,
        "kind": run.kind,
        "kind_reason": run.kind_reason,
        "kind_detail": run.kind_detail,
        "unproven": run.unproven,
        "dry_run": run.dry_run,
        "state": run.state,
        "reason": run.reason,
        "cause": run.cause,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "seconds": round(run.seconds, 2),
        "counts": run_counts(plan, result),
        "degraded": words.degraded(result.degraded),
        "approval": approval and _approval(approval),
        "above_limits": [words.above_limit(above) for above in plan.above_limits],
        "books": result.books,
        "rejections": plan.rejections | result.refused,
        "exclusions": plan.exclusions,
        "dropped": _sum(plan.dropped, result.dropped),
        "dropped_now": result.dropped_now,
        "dropped_new": result.dropped_new,
        "stale": plan.stale,
        "jobs": list(result.jobs),
    }


def _sum(planned: dict[str, int], while_sent: dict[str, int]) -> dict[str, int]:
    return planned | {why: planned.get(why, 0) + n for why, n in while_sent.items()}


def run_counts(plan: Plan, result: Result) -> dict[str, int]:
    """How many clients a run read and chose, and how many contacts it sent and removed."""
    counts, jobs = dict(plan.counts), result.jobs
    lanes = {lane: [j for j in jobs if j["lane"] == lane] for lane in REMOVALS}
    counts["sent"] = sum(
        job["rows"]
        for job in jobs
        if job["lane"] in UPSERTS and job["state"] == "settled" and job["job_id"]
    )
    if "to_move" in counts:
        counts["moved"] = sum((job["numbers"] or {}).get("moved", 0) for job in jobs)
    if result.refused:
        counts["rejected"] = counts.get("rejected", 0) + sum(result.refused.values())
    counts["removed"] = sum(job["rows"] for job in lanes[Lane.DELETE] if _is_removed(job))
    counts["unlisted"] = sum(job["rows"] for job in lanes[Lane.UNLIST] if _is_removed(job))
    return counts


def degraded(plan: Plan, books: dict[str, int], jobs: list[dict[str, Any]]) -> dict[Degraded, int]:
    """What is not as it should be after a run that came to its end; {} = all is well.

    `books`: with the numbers of `stale` clients, `in_vain` and `unsearchable` removals, and
    exclusions that are `not_carried_out`.
    """
    undone = [job for job in jobs if job["lane"] in REMOVALS and not _is_removed(job)]
    impossible = sum(job["rows"] for job in undone if job["outcome"] == Outcome.UNSEARCHABLE)
    found = {
        Degraded.REJECTED: books["rejected"],
        Degraded.PENDING: books["pending"],
        Degraded.STALE: books.get("stale", 0),
        Degraded.UNMOVED: books.get("unmoved", 0),
        Degraded.UNMOVABLE: plan.counts.get("unmovable", 0),
        Degraded.ABSENCES_HELD: plan.held_absences,
        Degraded.REMOVALS_OPEN: sum(job["rows"] for job in undone) - impossible,
        Degraded.REMOVALS_IMPOSSIBLE: impossible + books.get("unsearchable", 0),
        Degraded.REMOVALS_IN_VAIN: books.get("in_vain", 0),
        Degraded.EXCLUSIONS_OPEN: books.get("not_carried_out", 0),
        Degraded.RETURNS_UNSEEN: plan.counts.get("not_looked_up", 0),
    }
    return {what: n for what, n in found.items() if n}


def _is_removed(job: dict[str, Any]) -> bool:
    """Whether a removal's contacts are where they shall be."""
    return job["outcome"] in (Outcome.REMOVED, Outcome.UNLISTED, *NOTHING_TO_REMOVE)


def count_words(report: Mapping[str, Any], name: str) -> dict[str, int]:
    """The clients that a report counts under `name` of REASONS, by reason in words."""
    has_field, found = name in ("rejections", "dropped"), report[name]
    if name == "stale":
        return dict(found)
    return {words.counted_in_words(key, has_field=has_field): n for key, n in found.items()}


def dropped_lines(now: Mapping[str, int] | None, new: Mapping[str, int] | None) -> list[str]:
    """How many values are dropped, cut or rounded, and how many of them are new: the sum, then by
    field and reason. `new` None = it was a dry run; `now` None = not counted: no line."""
    if now is None:
        return []

    def line(what: str, n: int, fresh: int) -> str:
        return f"{what}: {n} now" + ("" if new is None else f", {fresh} new")

    total = line("values dropped or cut", sum(now.values()), sum((new or {}).values()))
    return [total] + [
        "  " + line(words.counted_in_words(key, has_field=True), n, (new or {}).get(key, 0))
        for key, n in sorted(now.items(), key=lambda item: (-item[1], item[0]))
    ]


def text_report(report: dict[str, Any]) -> str:
    """One run for people."""
    title = f"Run {report['id']}: {report['kind']}{', dry run' if report['dry_run'] else ''}"
    lines = [f"{title}, {report['state']} in {report['seconds']:.1f} s"]
    lines += [f"  why         {kind_reason(report)}"] if report["kind_reason"] else []
    unproven = unproven_words(report)
    lines += [f"  state       {unproven}"] if unproven else []
    lines += [f"  reason      {report['reason']}"] if report["reason"] else []
    cause = report["cause"] or (words.NO_CAUSE if report["state"] == RunState.FAILED else "")
    lines += [f"  cause       {cause}"] if cause else []
    lines += [f"  approval    {_answer(report['approval'])}"] if report["approval"] else []
    lines += [f"  to approve  {what}" for what in report["above_limits"]]
    lines += [f"  degraded    {what}" for what in report["degraded"]]
    lines += [f"  {name.replace('_', ' '):<15} {n:>9}" for name, n in report["counts"].items()]
    for key, title in REASONS.items():
        if key != "dropped" or report["dropped_new"] is None:
            counted = count_words(report, key).items()
            lines += [f"  {title}: {n} x {reason}" for reason, n in counted]
    lines += [f"  {line}" for line in dropped_lines(report["dropped_now"], report["dropped_new"])]
    lines += [_job_line(job) for job in report["jobs"]]
    return "\n".join(lines)


def kind_reason(report: dict[str, Any]) -> str:
    """Why the run is of its kind, in words; "" = not known yet."""
    code = report["kind_reason"]
    return words.kind_reason(code, report["kind_detail"]) if code else ""


def unproven_words(report: dict[str, Any]) -> str:
    """Why the state database isn't believed, where the run's kind doesn't say it already."""
    code = report.get("unproven")
    return words.kind_reason(code) if code and code != report["kind_reason"] else ""


def _approval(approval: Approval) -> dict[str, Any]:
    """As it is stored, with what is above the limits in words."""
    why = {"why": [words.above_limit(above) for above in approval.why]} if approval.why else {}
    return approval.to_json() | why


def _answer(approval: dict[str, Any]) -> str:
    why = "; ".join(approval.get("why", []))
    decision = approval.get("decision")
    return f"{why}: {f'{decision} by ' + approval['by'] if decision else 'waiting'}"


def _job_line(job: dict[str, Any]) -> str:
    seconds = f"{job['seconds']:.1f} s" if job["seconds"] is not None else "-"
    return (
        f"  job {job['job_id'] or '-'} {words.LANES[job['lane']]:<17} {job['rows']:>7} contacts  "
        f"{job['status'] or words.BATCH_STATES[job['state']]}, {outcome(job)}, {seconds}"
    )


def outcome(job: Mapping[str, Any]) -> str:
    """What became of a batch, in words; "" = it is under way."""
    return words.outcome(job["outcome"], job.get("numbers")) if job["outcome"] else ""

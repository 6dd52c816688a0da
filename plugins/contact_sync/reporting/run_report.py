"""A run's report from its row in the state database: for the command line, logs and pages. Pure."""

from __future__ import annotations

from typing import Any

from contact_sync.base.json_columns import Approval, Plan, Result

NOTHING_THERE, LIST_GONE = "nothing there", "the list is gone"
NOTHING_TO_DO = (NOTHING_THERE, LIST_GONE)
LOOKS_AGAIN = "the next run looks again"
NOT_FOUND_YET = f"not found yet, {LOOKS_AGAIN}"
UNSEARCHABLE = "SendGrid doesn't search these addresses"
"""Outcomes of removals for which no job, or no certain one, speaks."""


def run_report(row: dict[str, Any]) -> dict[str, Any]:
    """One run for machines; the keys are part of `status --json`."""
    plan: Plan = row["plan"] or Plan()
    result: Result = row["result"] or Result()
    approval: Approval | None = row["approval"]
    return {
        "id": row["id"],
        "kind": row["kind"],
        "kind_reason": row["kind_reason"],
        "dry_run": row["dry_run"],
        "state": row["state"],
        "reason": row["reason"],
        "cause": row["cause"],
        "started_at": row["started_at"],
        "finished_at": row["finished_at"],
        "seconds": round(row["seconds"], 2),
        "counts": run_counts(plan, result),
        "degraded": list(result.degraded),
        "approval": approval and approval.to_json(),
        "above_limits": list(plan.above_limits),
        "books": result.books,
        "rejections": plan.rejections | result.refused,
        "exclusions": plan.exclusions,
        "dropped": plan.dropped,
        "stale": plan.stale,
        "jobs": list(result.jobs),
    }


def run_counts(plan: Plan, result: Result) -> dict[str, int]:
    """How many clients a run read and chose, and how many contacts it sent and removed."""
    counts, jobs = dict(plan.counts), result.jobs
    lanes = {lane: [j for j in jobs if j["lane"] == lane] for lane in ("delete", "unlist")}
    counts["sent"] = sum(
        job["rows"] for job in jobs if job["lane"] not in lanes and job["state"] == "settled"
    )
    if result.refused:
        counts["rejected"] = counts.get("rejected", 0) + sum(result.refused.values())
    counts["removed"] = sum(job["rows"] for job in lanes["delete"] if _is_removed(job))
    counts["unlisted"] = sum(job["rows"] for job in lanes["unlist"] if _is_removed(job))
    return counts


def degraded(plan: Plan, books: dict[str, int], jobs: list[dict[str, Any]]) -> list[str]:
    """What is not as it should be after a run that came to its end, in words; [] = all is well."""
    undone = [job for job in jobs if job["lane"] in ("delete", "unlist") and not _is_removed(job)]
    unsearchable = sum(job["rows"] for job in undone if job["outcome"] == UNSEARCHABLE)
    open_removals = sum(job["rows"] for job in undone) - unsearchable
    found = {
        "clients are rejected": books["rejected"],
        "clients are pending, the next run sends them": books["pending"],
        "clients hold values that SendGrid can't clear": books.get("stale", 0),
        "absent clients are too many to believe, nothing of them is removed until a person "
        "approves their exact number": plan.held_absences,
        "contacts could not be removed, or nobody knows yet; the next run tries again": (
            open_removals
        ),
        "contacts can't be removed, because SendGrid doesn't search their addresses (over 100 "
        "characters, or not valid): remove them in SendGrid's pages": unsearchable,
    }
    return [f"{n} {what}" for what, n in found.items() if n]


def _is_removed(job: dict[str, Any]) -> bool:
    """Whether a removal's contacts are where they shall be."""
    outcome = job["outcome"] or ""
    done = job["status"] == "completed" and not outcome.endswith(LOOKS_AGAIN)
    return done or outcome in NOTHING_TO_DO


def text_report(report: dict[str, Any]) -> str:
    """One run for people."""
    title = f"Run {report['id']}: {report['kind']}{', dry run' if report['dry_run'] else ''}"
    lines = [f"{title}, {report['state']} in {report['seconds']:.1f} s"]
    lines += [f"  why         {report['kind_reason']}"] if report["kind_reason"] else []
    lines += [f"  reason      {report['reason']}"] if report["reason"] else []
    lines += [f"  cause       {report['cause']}"] if report["cause"] else []
    lines += [f"  approval    {_approval(report['approval'])}"] if report["approval"] else []
    lines += [f"  to approve  {what}" for what in report["above_limits"]]
    lines += [f"  degraded    {what}" for what in report["degraded"]]
    lines += [f"  {name.replace('_', ' '):<15} {n:>9}" for name, n in report["counts"].items()]
    for key, title in (
        ("rejections", "rejected"),
        ("exclusions", "excluded"),
        ("dropped", "value dropped or cut"),
        ("stale", "stale at SendGrid"),
    ):
        lines += [f"  {title}: {n} x {reason}" for reason, n in report[key].items()]
    lines += [_job_line(job) for job in report["jobs"]]
    return "\n".join(lines)


def _approval(approval: dict[str, Any]) -> str:
    why = "; ".join(approval.get("why", []))
    decision = approval.get("decision")
    return f"{why}: {f'{decision} by ' + approval['by'] if decision else 'waiting'}"


def _job_line(job: dict[str, Any]) -> str:
    seconds = f"{job['seconds']:.1f} s" if job["seconds"] is not None else "-"
    return (
        f"  job {job['job_id'] or '-'} {job['lane']:<6} {job['rows']:>7} contacts  "
        f"{job['status'] or job['state']}, {job['outcome']}, {seconds}"
    )

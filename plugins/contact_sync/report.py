"""A run's report from its row in the state database: for the command line, logs and pages. Pure."""

from __future__ import annotations

from typing import Any


def run_report(row: dict[str, Any]) -> dict[str, Any]:
    """One run for machines; the keys are part of `status --json`."""
    plan = row["plan"] or {}
    result = row["result"] or {}
    counts = dict(plan.get("counts", {}))
    jobs = result.get("jobs", [])
    counts["sent"] = sum(
        job["rows"] for job in jobs if job["lane"] != "delete" and job["state"] == "settled"
    )
    refused = result.get("refused", {})
    if refused:
        counts["rejected"] = counts.get("rejected", 0) + sum(refused.values())
    counts["removed"] = sum(job["rows"] for job in jobs if job["lane"] == "delete")
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
        "counts": counts,
        "books": result.get("books", {}),
        "rejections": plan.get("rejections", {}) | refused,
        "exclusions": plan.get("exclusions", {}),
        "dropped": plan.get("dropped", {}),
        "stale": plan.get("stale", {}),
        "jobs": jobs,
    }


def text_report(report: dict[str, Any]) -> str:
    """One run for people."""
    title = f"Run {report['id']}: {report['kind']}{', dry run' if report['dry_run'] else ''}"
    lines = [f"{title}, {report['state']} in {report['seconds']:.1f} s"]
    lines += [f"  why         {report['kind_reason']}"] if report["kind_reason"] else []
    lines += [f"  reason      {report['reason']}"] if report["reason"] else []
    lines += [f"  cause       {report['cause']}"] if report["cause"] else []
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


def _job_line(job: dict[str, Any]) -> str:
    seconds = f"{job['seconds']:.1f} s" if job["seconds"] is not None else "-"
    return (
        f"  job {job['job_id'] or '-'} {job['lane']:<6} {job['rows']:>7} contacts  "
        f"{job['status'] or job['state']}, {job['outcome']}, {seconds}"
    )

"""The demo's report of one run, from what the package's `status --json` says. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contact_sync.base import words
from contact_sync.base.json_columns import JobReport, Plan
from contact_sync.reporting.run_report import reasons_in_words

WIDTH = 34
MOST_JOBS = 8
# The counts that a reader looks for first; the rest follows in the order that the package gives.
FIRST = ("read", "new", "changed", "unchanged", "rejected", "excluded")
BOOKS = ("selected", "confirmed", "pending", "rejected", "excluded", "gone")
REASONS = {
    "rejections": "rejected, by field and reason",
    "exclusions": "excluded, by reason",
    "dropped": "sent without a value, or with a shortened one",
}


def run_text(run: Mapping[str, Any]) -> str:
    """Return a run's report as indented lines."""
    return "\n".join(f"    {line}" for line in run_lines(run))


def run_lines(run: Mapping[str, Any]) -> Iterator[str]:
    """Yield a run's report line by line."""
    reason = f", reason: {run['reason']}" if run.get("reason") else ""
    yield f"run {run['id']} ({run['kind']}{reason}): {run['state']} in {run['seconds']:.1f} s"
    counts = run["counts"]
    for name in [*FIRST, *(name for name in counts if name not in FIRST)]:
        if name in FIRST or counts[name]:
            yield count_line(name.replace("_", " "), counts.get(name, 0))
    counted = reasons_in_words(Plan.from_json({**run, "above_limits": ()}))
    for key, title in REASONS.items():
        if found := counted[key]:
            yield f"{title}:"
            yield from (count_line(f"  {reason}", found[reason]) for reason in sorted(found))
    yield from job_lines([JobReport.from_json(job) for job in run["jobs"]])
    yield from book_lines(run["books"])


def count_line(name: str, count: int) -> str:
    """Return a name and its count in two columns."""
    return f"{name:<{WIDTH}} {count:>8,}"


def job_lines(jobs: list[JobReport]) -> Iterator[str]:
    """Yield a line for each of SendGrid's jobs, and how many more there were."""
    if not jobs:
        yield "no job at SendGrid: nothing differed"
        return
    yield f"{len(jobs)} jobs at SendGrid:" if len(jobs) > 1 else "1 job at SendGrid:"
    for job in jobs[:MOST_JOBS]:
        seconds = "" if job.seconds is None else f" in {job.seconds:.1f} s"
        fate = f"{job.status}{seconds} ({words.outcome(job.outcome, job.numbers)})"
        yield f"  {job.lane}: {job.rows:,} contacts, {fate}"
    if len(jobs) > MOST_JOBS:
        yield f"  and {len(jobs) - MOST_JOBS} more"


def book_lines(books: Mapping[str, int]) -> Iterator[str]:
    """Yield what became of every client that the run selected; they add up."""
    yield "the books: " + ", ".join(f"{books[name]:,} {name}" for name in BOOKS if name in books)

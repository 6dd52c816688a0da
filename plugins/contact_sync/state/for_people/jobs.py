"""Read how far a run's batches and slices have got, for people; no address, no URL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

from contact_sync.base.json_columns import JobReport
from contact_sync.postgres.cursor import Cursor, many, rows_as
from contact_sync.reporting.sending import JobSum
from contact_sync.reporting.shown_run import SliceProgress
from contact_sync.state import statements

SQL = statements.load("for_people/jobs")


@dataclass(frozen=True, slots=True)
class BatchJob:
    """A batch and its job at SendGrid; `rows` are contacts, `status` is SendGrid's last word.

    `root_id`: the planned batch that it was split from, if it was. `seconds` from the moment when
    it was submitted to its end, or until now; None while SendGrid doesn't have it. `asked_at`: when
    SendGrid last said that it isn't over.
    """

    batch_id: int
    root_id: int | None
    lane: str
    rows: int
    state: str
    job_id: str | None
    status: str | None
    outcome: str | None
    numbers: dict[str, int] | None
    submitted_at: datetime | None
    asked_at: datetime | None
    is_open: bool
    seconds: float | None

    def report(self) -> JobReport:
        """What a run's result keeps of it."""
        return JobReport.from_json(asdict(self))


def jobs_of_run(cursor: Cursor, run_id: int, limit: int | None = None) -> list[BatchJob]:
    """A run's batches as they are now, in the order of their making; the first `limit` ones."""
    return rows_as(BatchJob, cursor, SQL["jobs_of_run"], {"run_id": run_id, "at_most": limit})


def job_sums(cursor: Cursor, run_ids: Collection[int]) -> dict[int, tuple[JobSum, ...]]:
    """The batches of each run, added up."""
    found: dict[int, list[JobSum]] = {run_id: [] for run_id in run_ids}
    for row in many(cursor, SQL["job_sums"], {"run_ids": list(run_ids)}):
        found[row.pop("run_id")].append(JobSum(**row))
    return {run_id: tuple(sums) for run_id, sums in found.items()}


def slice_progress(cursor: Cursor, run_id: int) -> SliceProgress:
    """How far a run has read its clients."""
    (found,) = rows_as(SliceProgress, cursor, SQL["slice_progress"], {"run_id": run_id})
    return found

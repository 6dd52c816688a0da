"""Read how far a run's batches and slices have got, for people; no address, no URL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contact_sync.postgres.cursor import Cursor, many, one, rows_as
from contact_sync.state import statements

SQL = statements.load("for_people/jobs")


@dataclass(frozen=True, slots=True)
class BatchJob:
    """A batch and its job at SendGrid; `rows` are contacts, `status` is SendGrid's last word.

    `root_id`: the planned batch that it was split from, if it was. `seconds` from the moment when
    it was submitted to its end, or until now; None while SendGrid doesn't have it.
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
    seconds: float | None

    def report(self) -> dict[str, Any]:
        """What a run's result keeps of it; the keys are part of `status --json`."""
        return {
            "batch_id": self.batch_id,
            "lane": self.lane,
            "rows": self.rows,
            "state": self.state,
            "job_id": self.job_id,
            "status": self.status,
            "outcome": self.outcome,
            "numbers": self.numbers,
            "seconds": self.seconds,
        }


def jobs_of_run(cursor: Cursor, run_id: int, limit: int | None = None) -> list[BatchJob]:
    """A run's batches as they are now, in the order of their making; the first `limit` ones."""
    return rows_as(BatchJob, cursor, SQL["jobs_of_run"], {"run_id": run_id, "at_most": limit})


def job_sums(cursor: Cursor, run_id: int) -> list[dict[str, Any]]:
    """How many batches and contacts of a run are in which lane, state and job status."""
    return many(cursor, SQL["job_sums"], {"run_id": run_id})


def slice_progress(cursor: Cursor, run_id: int) -> dict[str, int]:
    """How many slices and clients a run reads, and how many of them it has read."""
    return one(cursor, SQL["slice_progress"], {"run_id": run_id})

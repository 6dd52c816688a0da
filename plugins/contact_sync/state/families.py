"""Batch families: a planned batch, and the batches that were split from it after failed jobs."""

from __future__ import annotations

from dataclasses import dataclass

from contact_sync.base.vocabulary import JobStatus, Outcome
from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state import batch_moves, statements
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run

SQL = statements.load("families")


@dataclass(frozen=True, slots=True)
class Member:
    """One batch of a family and what became of it."""

    batch_id: int
    contacts: int
    job_status: str | None
    outcome: str | None
    created: int

    @property
    def failed(self) -> bool:
        """Whether its job failed as a whole."""
        return self.job_status == JobStatus.FAILED

    @property
    def succeeded(self) -> bool:
        """Whether its job was carried out, at least for some contacts."""
        return (
            self.job_status in (JobStatus.COMPLETED, JobStatus.ERRORED)
            and self.outcome != Outcome.SPLIT
        )


def members(cursor: Cursor, root_id: int) -> list[Member]:
    """The planned batch and all that were split from it, oldest first."""
    return [Member(**row) for row in many(cursor, SQL["members"], {"root_id": root_id})]


def create_parts(cursor: Cursor, batch: Batch, parts: int) -> int:
    """Stage the batch's contacts again in `parts` batches of equal size; returns how many."""
    parameters = {"batch_id": batch.batch_id, "root_id": batch.root, "parts": parts}
    cursor.execute(SQL["create_parts"], parameters)
    return cursor.rowcount


def drop_open(cursor: Cursor, run: Run, batch: Batch) -> None:
    """Void what hasn't been sent of the batch's family; its clients are pending already."""
    for dropped in batch_moves.void_family(cursor, run, batch):
        cursor.execute(SQL["drop_contacts"], dropped)

"""Batch families: a planned batch, and the batches that were split from it after failed jobs and
refused requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contact_sync.base.vocabulary import JobStatus, Lane, Outcome, PendingReason
from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state import batch_moves, outbox_blocks, settling, statements
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run

SQL = statements.load("families")


@dataclass(frozen=True, slots=True)
class Member:
    """One batch of a family and what became of it. `tries`: failed jobs before it; `refused`: how
    often SendGrid refused a request of it; `again`: how many of its contacts were sent again
    without a value; `detail`: SendGrid's plain words, where it was refused.
    """

    batch_id: int
    contacts: int
    job_status: str | None
    outcome: str | None
    created: int
    tries: int
    refused: int
    again: int
    detail: str | None

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

    @property
    def was_refused(self) -> bool:
        """Whether SendGrid refused it, and which of its contacts is the cause wasn't said."""
        return self.refused > 0 and self.job_status is None


def members(cursor: Cursor, root_id: int) -> list[Member]:
    """The planned batch and all that were split from it, oldest first."""
    return [Member(**row) for row in many(cursor, SQL["members"], {"root_id": root_id})]


def create_parts(
    cursor: Cursor, batch: Batch, parts: int, *, apart: Sequence[int] = (), failed: bool = False
) -> int:
    """Stage the batch's contacts again in `parts` batches of equal size; returns how many.

    `apart`: clients each of which gets a batch of its own. `failed`: after a failed job.
    """
    outbox_blocks.unpack_batch(cursor, batch.batch_id)
    parameters = {"batch_id": batch.batch_id, "root_id": batch.root, "parts": parts}
    more = {"apart": list(apart), "failed": int(failed)}
    cursor.execute(SQL["create_parts"], parameters | more)
    return cursor.rowcount


def create_further(
    cursor: Cursor, batch: Batch, lane: Lane, contacts: int, ids: tuple[int, int]
) -> None:
    """Stage contacts of the batch once more, in a lane: all that are left between two ids."""
    parameters = {"batch_id": batch.batch_id, "root_id": batch.root, "lane": str(lane)}
    bounds = {"contacts": contacts, "first_id": ids[0], "last_id": ids[1]}
    cursor.execute(SQL["create_further"], parameters | bounds)


def hold_open(cursor: Cursor, run: Run, batch: Batch) -> None:
    """Void what hasn't been sent of the batch's family, the batch included; its clients become
    pending: SendGrid refused every request."""
    for dropped in (batch.batch_id, *batch_moves.void_family(cursor, run, batch)):
        settling.hold(cursor, dropped, None, PendingReason.REQUEST_REFUSED)


def drop_open(cursor: Cursor, run: Run, batch: Batch) -> None:
    """Void what hasn't been sent of the batch's family; its clients are pending already."""
    for dropped in batch_moves.void_family(cursor, run, batch):
        settling.clear(cursor, dropped)

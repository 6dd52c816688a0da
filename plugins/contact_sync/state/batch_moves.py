"""Every move of a batch from one state to another: the only place where `batch.state` is written.

What may happen when, and by whom, is the table of base/batch_life.py.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from contact_sync.base.batch_life import LIFE
from contact_sync.base.errors import FatalError, Fenced
from contact_sync.base.json_columns import JobCounts
from contact_sync.base.vocabulary import Job, Lane, Outcome
from contact_sync.postgres.cursor import Cursor
from contact_sync.state import statements
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run

SQL = statements.load("batch_moves")


def announce(cursor: Cursor, run: Run, batch: Batch) -> datetime:
    """A call that may not be repeated is about to leave; returns the moment, which tells this try's
    announcement from another one's. Raises Fenced, as every move below, when the batch has moved.
    """
    row = _must_move(cursor, run, batch, "announce")
    announced: datetime = row["submitted_at"]
    return announced


def refused(cursor: Cursor, run: Run, batch: Batch, announced: datetime) -> bool:
    """A definite refusal: nothing is under way. False when another try has announced a call since:
    its doubt stays.
    """
    return _move(cursor, run, batch, "refused", announced=announced) is not None


def accepted(
    cursor: Cursor, run: Run, batch: Batch, job_id: str, announced: datetime, *, first_try: bool
) -> None:
    """SendGrid's answer names the job. It ends the doubt of a first try; after another try of
    unknown fate, or beside one that has announced a call since, the doubt stays.
    """
    _must_move(cursor, run, batch, "accepted", job_id=job_id, announced=announced,
               first_try=first_try)  # fmt: skip


def created(cursor: Cursor, run: Run, batch: Batch, job_id: str, before: str | None) -> None:
    """An import of the id exists; `before` is the one that the batch had when this try began."""
    _must_move(cursor, run, batch, "created", job_id=job_id, before=before)


def created_again(cursor: Cursor, run: Run, batch: Batch, job_id: str, before: str) -> None:
    """Another import takes the place of this try's own one, whose upload was refused."""
    _must_move(cursor, run, batch, "created_again", job_id=job_id, before=before)


def uploading(cursor: Cursor, run: Run, batch: Batch, job_id: str) -> None:
    """The file is about to leave for this try's own import."""
    _must_move(cursor, run, batch, "uploading", job_id=job_id)


def uploaded(cursor: Cursor, run: Run, batch: Batch, job_id: str) -> None:
    """The file has arrived at this try's own import: no doubt is left."""
    _must_move(cursor, run, batch, "uploaded", job_id=job_id)


def settle_unsent(cursor: Cursor, run: Run, batch: Batch, outcome: Outcome) -> None:
    """Nothing of the batch is left to send."""
    _must_move(cursor, run, batch, "settle_unsent", outcome=outcome)


def settle(
    cursor: Cursor,
    run: Run,
    batch: Batch,
    job: Job | None,
    *,
    in_doubt: bool = False,
    refused: bool = False,
) -> bool:
    """The batch is over; False when it was settled before, or voided. `set_outcome` follows.

    `job`: what SendGrid said of it; None = nothing. It ends the doubt about a file; about a call,
    an earlier try may still be under way. `in_doubt`: what left may take effect later, so that the
    doubt begins, as of when it left. `refused`: the storage didn't take the file.
    """
    is_over = refused or (job is not None and batch.lane is Lane.CSV)
    doubt = "begins" if in_doubt else "ends" if is_over else "stays"
    status, counts = (str(job.status), Jsonb(JobCounts.of(job).to_json())) if job else (None, None)
    done = _move(cursor, run, batch, "settle", job_status=status, counts=counts, doubt=doubt)
    return done is not None


def void(cursor: Cursor, run: Run, batch: Batch) -> bool:
    """Drop a batch of an earlier run of which no byte has left; False when it has moved."""
    return _move(cursor, run, batch, "void") is not None


def void_family(cursor: Cursor, run: Run, batch: Batch) -> list[int]:
    """Drop what hasn't been sent of the batches split from the same planned one; returns their
    ids."""
    _execute(cursor, run, batch, "void_family", root_id=batch.root)
    return [row["batch_id"] for row in cursor.fetchall()]


def _must_move(
    cursor: Cursor, run: Run, batch: Batch, event: str, **values: object
) -> dict[str, Any]:
    row = _move(cursor, run, batch, event, **values)
    if row is None:
        raise Fenced(f"Batch {batch.batch_id} was moved by another process; this one stops")
    return row


def _move(
    cursor: Cursor, run: Run, batch: Batch, event: str, **values: object
) -> dict[str, Any] | None:
    """Compare and set; None when the batch is elsewhere by now.

    Two tries of one task have the same epoch: only what a try has stored itself, its job id or the
    moment of its announcement, tells it from the other. The statements compare that, too.
    """
    _execute(cursor, run, batch, event, **values)
    return cursor.fetchone()


def _execute(cursor: Cursor, run: Run, batch: Batch, event: str, **values: object) -> None:
    move = LIFE[event]
    if batch.lane not in move.lanes or not move.who.allows(own=run.run_id == batch.run_id):
        raise FatalError(
            f"Run {run.run_id:,} may not do this to batch {batch.batch_id:,} of run "
            f"{batch.run_id:,} ({batch.lane}): {event}. This is a defect; nothing was changed"
        )
    came_from = [str(state) for state in move.came_from]
    fixed = {"batch_id": batch.batch_id, "came_from": came_from, "to_state": str(move.to)}
    cursor.execute(SQL[event], fixed | values)

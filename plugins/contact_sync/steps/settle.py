"""Poll a batch's job and apply its outcome to the ledger, once, in one transaction.

Only a terminal status ends a job; whatever stays unclear makes the clients pending, so that the
next run sends them again: an upsert may be repeated, a client may not be lost.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

from contact_sync.errors import FatalError, RequestRefused, RetryableError
from contact_sync.errors_file import read_errors
from contact_sync.failpoints import reach
from contact_sync.models import BatchState, Job, JobStatus, Lane
from contact_sync.state import batches, removals, settling
from contact_sync.state.batches import NOW, Batch
from contact_sync.state.database import Cursor
from contact_sync.state.runs import Run
from contact_sync.steps.start import Sync

log = logging.getLogger(__name__)
IN_FLIGHT = (BatchState.SUBMITTED, BatchState.UPLOADING)
_ADDRESS = re.compile(r"\S+@\S+")
FAILED = "job_failed"


def settle_batch(sync: Sync, run: Run, batch_id: int) -> bool:
    """Settle the batch if its job is over or its deadline has passed; False = poll again later."""
    batch = batches.load_batch(sync.state, batch_id)
    if batch.is_terminal:
        return True
    if batch.state not in IN_FLIGHT or not batch.job_id:
        raise FatalError(f"Batch {batch_id} is {batch.state}: it hasn't been sent")
    try:
        job = sync.sendgrid.job(batch.job_id)
    except RequestRefused as error:
        if error.status != 404:
            raise
        postpone(sync, run, batch, "job_unknown_to_sendgrid")
        return True
    if not job.status.is_terminal:
        reach("job_pending")
        return _give_up(sync, run, batch)
    reach("job_over")
    _apply(sync, run, batch, job)
    return True


def raise_if_failed(sync: Sync, batch_id: int) -> None:
    """Raise FatalError when the batch's job failed as a whole: the task must not look green."""
    with sync.state.transaction() as cursor:
        outcome = batches.outcome(cursor, batch_id)
    if outcome == FAILED:
        raise FatalError(
            f"SendGrid failed the import job of batch {batch_id} as a whole. Its clients are "
            f"pending and the next run sends them again. If it fails again, look at the import in "
            f"SendGrid's UI: the usual causes are the plan's contact limit and a field whose type "
            f"was changed"
        )


def _give_up(sync: Sync, run: Run, batch: Batch) -> bool:
    deadlines = sync.definition.deadlines
    if (batch.submitted_seconds or 0) > deadlines.job_hours * 3600:
        postpone(sync, run, batch, "job_never_ended")
        return True
    unknown = batch.state is BatchState.UPLOADING
    if unknown and (batch.unknown_seconds or 0) > deadlines.quarantine_minutes * 60:
        postpone(sync, run, batch, "upload_never_arrived")
        return True
    return False


def _apply(sync: Sync, run: Run, batch: Batch, job: Job) -> None:
    if batch.lane is Lane.DELETE:
        _apply_delete(sync, run, batch, job)
        return
    refused = _refused(sync, batch, job)
    if refused is None:
        reason = FAILED if job.status is JobStatus.FAILED else "errors_file_unclear"
        postpone(sync, run, batch, reason, job)
        return

    def write(cursor: Cursor) -> str:
        confirmed, rejected = settling.confirm(cursor, batch.batch_id, refused)
        return f"{confirmed} confirmed, {rejected} rejected"

    _finish(sync, run, batch, job, write)


def _refused(sync: Sync, batch: Batch, job: Job) -> dict[str, str] | None:
    """Address → reason of the contacts that SendGrid refused; None = not to be found out."""
    if job.status is JobStatus.COMPLETED:
        return {}
    if job.errors_url:
        try:
            found = read_errors(sync.sendgrid.errors_file(job))
        except RetryableError as error:
            log.warning("%s; all %d clients of the batch stay pending", error, batch.contacts)
            return None
        # An errored job applied all rows but those in the file; a failed one may have applied none.
        every = batch.contacts if job.status is JobStatus.FAILED else max(job.errored, 1)
        if len(found) >= every:
            return {email: f"SendGrid: {plain(reason)}" for email, reason in found.items()}
        log.warning("The errors file names %d of %d refused contacts", len(found), job.errored)
    if batch.contacts == 1 and job.status is JobStatus.ERRORED:
        with sync.state.transaction() as cursor:
            return {settling.only_address(cursor, batch.batch_id): "SendGrid: refused"}
    return None


def plain(reason: str) -> str:
    """SendGrid's reason without addresses, at most 200 characters."""
    return _ADDRESS.sub("…", reason)[:200].strip() or "refused"


def _apply_delete(sync: Sync, run: Run, batch: Batch, job: Job) -> None:
    def write(cursor: Cursor) -> str:
        if job.status is JobStatus.COMPLETED:
            removals.deleted(cursor, batch.batch_id)
            return f"{job.deleted or batch.contacts} removed"
        removals.postponed(cursor, batch.batch_id)
        return "not removed; the next run tries again"

    _finish(sync, run, batch, job, write)


def postpone(sync: Sync, run: Run, batch: Batch, reason: str, job: Job | None = None) -> None:
    """End a batch of which nothing can be confirmed: its clients become pending."""

    def write(cursor: Cursor) -> str:
        if batch.lane is Lane.DELETE:
            removals.postponed(cursor, batch.batch_id)
        else:
            settling.postpone(cursor, batch.batch_id, reason)
        return reason

    _finish(sync, run, batch, job, write)


def void_batch(sync: Sync, run: Run, batch: Batch) -> None:
    """Drop a batch of which no byte has left."""
    with sync.state.transaction(run.fence) as cursor:
        before = (BatchState.STAGED, BatchState.CREATED)
        if batches.advance(cursor, batch, BatchState.VOID, came_from=before, settled_at=NOW):
            settling.clear(cursor, batch.batch_id)
            if batch.lane is Lane.DELETE:
                removals.postponed(cursor, batch.batch_id)
    log.info("Batch %d of run %d had not been sent: dropped", batch.batch_id, batch.run_id)


def _finish(
    sync: Sync, run: Run, batch: Batch, job: Job | None, write: Callable[[Cursor], str]
) -> None:
    """Compare-and-set the batch to settled and write the ledger, in one transaction.

    A second process that settles the same batch finds it settled and writes nothing.
    """
    values: dict[str, Any] = {"settled_at": NOW}
    if job is not None:
        values |= {"job_status": str(job.status), "counts": job.counts()}
        if batch.lane is Lane.CSV:  # of the other lanes an earlier try may still be under way
            values["fate_unknown_at"] = None
    before = (*IN_FLIGHT, BatchState.SUBMITTING)
    with sync.state.transaction(run.fence) as cursor:
        if not batches.advance(cursor, batch, BatchState.SETTLED, came_from=before, **values):
            return
        outcome = write(cursor)
        batches.set_outcome(cursor, batch.batch_id, outcome)
        reach("batch_settled_uncommitted")
    reach("batch_settled")
    status = job.status if job else "no answer"
    log.info("Batch %d, job %s (%s): %s", batch.batch_id, batch.job_id, status, outcome)

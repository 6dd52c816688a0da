"""Poll a batch's job and apply its outcome to the ledger, once, in one transaction.

Only a terminal status ends a job; whatever stays unclear makes the clients pending, so that the
next run sends them again: an upsert may be repeated, a client may not be lost.
"""

from __future__ import annotations

import logging
from functools import partial

from contact_sync.base.errors import FatalError, RequestRefused, RetryableError
from contact_sync.base.failpoints import reach
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import (
    REMOVALS,
    BatchState,
    Ending,
    Job,
    JobStatus,
    Lane,
    Outcome,
    PendingReason,
)
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.sending.ending import finish, postpone
from contact_sync.run.sending.move_person import look_again
from contact_sync.run.sending.removal_targets import patience, still_shown
from contact_sync.run.sending.settle_upsert import settle_upsert
from contact_sync.state import batches, families, removals, settling
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
IN_FLIGHT = (BatchState.SUBMITTED, BatchState.UPLOADING)


def settle_batch(sync: Sync, run: Run, batch_id: int) -> bool:
    """Settle the batch if its job is over or its deadline has passed; False = poll again later."""
    batch = batches.load_batch(sync.state, batch_id)
    if not batch.is_open:
        return True
    if batch.state not in IN_FLIGHT or not batch.job_id:
        raise FatalError(f"Batch {batch_id} is {batch.state}: it hasn't been sent")
    if batch.lane is Lane.UNLIST and sync.profile["list_removal_job"] == "unknown":
        return _settle_removal(sync, run, batch, None)
    try:
        job = sync.sendgrid.job(batch.job_id)
    except RequestRefused as error:
        if error.status != 404:
            raise
        return _settle_unknown(sync, run, batch, error)
    if not job.status.is_terminal:
        with sync.state.transaction(run.fence) as cursor:
            batches.note_look(cursor, batch_id, str(job.status))
        reach("job_pending")
        return _give_up(sync, run, batch)
    reach("job_over")
    return _end(sync, run, batch, job)


def _settle_unknown(sync: Sync, run: Run, batch: Batch, error: RequestRefused) -> bool:
    """SendGrid says 404 when it is asked for the job."""
    if batch.lane in REMOVALS:  # the API's description doesn't say that these jobs are served
        return _settle_removal(sync, run, batch, None)
    if not error.is_missing:
        raise RetryableError(f"{error}; the job may still be at work") from None
    # It may still take effect: nothing newer is sent for the definition's `quarantine_minutes`.
    postpone(sync, run, batch, PendingReason.JOB_UNKNOWN_TO_SENDGRID, in_doubt=True)
    return True


def _end(sync: Sync, run: Run, batch: Batch, job: Job) -> bool:
    """Write what a job that is over means; False = it can't be seen yet."""
    if batch.lane in REMOVALS:
        return _settle_removal(sync, run, batch, job)
    if batch.lane is Lane.MOVE:
        if (write := look_again(sync, run, batch, job)) is None:
            return False
        finish(sync, run, batch, job, write)
    else:
        settle_upsert(sync, run, batch, job)
    return True


def raise_if_failed(sync: Sync, root_id: int) -> None:
    """Raise FatalError when jobs of a planned batch failed as a whole, and no single contact is to
    blame: the task must not look green.
    """
    with sync.state.transaction() as cursor:
        family = families.members(cursor, root_id)
    failed = [f"{m.batch_id:,}" for m in family if m.outcome == PendingReason.JOB_FAILED]
    if failed:
        raise FatalError(
            f"The import jobs of batches {'; '.join(failed)} failed as a whole at "
            f"SendGrid. Their clients are "
            f"pending and the next run sends them again. If it fails again, look at the imports in "
            f"SendGrid's UI: the usual causes are the plan's contact limit and a field whose type "
            f"was changed"
        )


def _give_up(sync: Sync, run: Run, batch: Batch) -> bool:
    # Sending again is safe only after the deadline: a job that is still queued then counts as dead.
    # Should it run all the same, an older value may win until the client changes again. An upload
    # whose answer was lost has the same time: its file may have been stored.
    if (batch.submitted_seconds or 0) <= sync.definition.deadlines.job_hours * 3600:
        return False
    if batch.lane in REMOVALS:
        return _settle_removal(sync, run, batch, None)
    uploaded = batch.state is BatchState.SUBMITTED
    ended = PendingReason.JOB_NEVER_ENDED if uploaded else PendingReason.UPLOAD_NEVER_ARRIVED
    if ended is PendingReason.JOB_NEVER_ENDED and batch.contacts == 1:
        finish(sync, run, batch, None, partial(_end_stuck, batch=batch))
    else:
        postpone(sync, run, batch, ended)
    return True


def _end_stuck(cursor: Cursor, batch: Batch) -> Ending:
    """Jobs that have nothing but this contact never end: it is the cause, or SendGrid is."""
    if settling.postpone_stuck(cursor, batch.batch_id, PendingReason.JOB_NEVER_ENDED):
        return Ending(Outcome.REJECTED_ALONE)
    return Ending(PendingReason.JOB_NEVER_ENDED)


def _settle_removal(sync: Sync, run: Run, batch: Batch, job: Job | None) -> bool:
    """End a removal by a look at its contacts; False = look again later. `job` None = no word."""
    left = still_shown(sync, batch)
    works = job is None or job.status is JobStatus.COMPLETED
    if left and works and (batch.submitted_seconds or 0) <= patience(sync):
        log.info("Batch %d: SendGrid shows %s still", batch.batch_id, count(len(left), "contact"))
        return False
    undone = Outcome.STILL_SHOWN if works else Outcome.NOT_REMOVED

    def write(cursor: Cursor) -> Ending:
        is_late = run.run_id != batch.run_id
        removals.count_try(cursor, batch.batch_id, None if left and is_late else left)
        if len(left) == batch.contacts or (left and is_late):
            if not works:
                removals.postponed(cursor, batch.batch_id)
            return Ending(undone)
        removals.set_apart(cursor, run, batch, sorted(left), undone, done=False)
        removals.removed(cursor, batch.lane, batch.batch_id)
        outcome = Outcome.REMOVED if batch.lane is Lane.DELETE else Outcome.UNLISTED
        return Ending(outcome, {"removed": batch.contacts - len(left)})

    finish(sync, run, batch, job, write)
    return True

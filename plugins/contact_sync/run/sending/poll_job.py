"""Poll a batch's job and apply its outcome to the ledger, once, in one transaction.

Only a terminal status ends a job; whatever stays unclear makes the clients pending, so that the
next run sends them again: an upsert may be repeated, a client may not be lost.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Collection
from functools import lru_cache

from contact_sync.base.errors import ConfigError, FatalError, RequestRefused, RetryableError
from contact_sync.base.failpoints import reach
from contact_sync.base.plain_reasons import NOTHING_PLAIN, plain
from contact_sync.base.vocabulary import (
    REMOVALS,
    BatchState,
    Ending,
    Job,
    JobStatus,
    Lane,
    Outcome,
    PendingReason,
    Refusal,
    Refused,
)
from contact_sync.base.words import outcome as in_words
from contact_sync.contacts.refusals import Refusals
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.sending.judge import Do, counts_all, judge, refused_by
from contact_sync.run.sending.look_before import held_after
from contact_sync.run.sending.move_person import look_again
from contact_sync.run.sending.split import postpone_and_split
from contact_sync.run.sending.verify import not_applied
from contact_sync.sendgrid.errors_file import read_errors
from contact_sync.state import (
    batch_contacts,
    batch_moves,
    batches,
    families,
    ledger,
    moves,
    removals,
    settling,
)
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
    try:
        job = sync.sendgrid.job(batch.job_id)
    except RequestRefused as error:
        if error.status != 404:
            raise
        if not error.is_missing:
            raise RetryableError(f"{error}; the job may still be at work") from None
        # Forgotten or not yet known: it may still take effect, so nothing newer is sent for the
        # definition's `quarantine_minutes`.
        postpone(sync, run, batch, PendingReason.JOB_UNKNOWN_TO_SENDGRID, in_doubt=True)
        return True
    if not job.status.is_terminal:
        reach("job_pending")
        return _give_up(sync, run, batch)
    reach("job_over")
    return _end(sync, run, batch, job)


def _end(sync: Sync, run: Run, batch: Batch, job: Job) -> bool:
    """Write what a job that is over means; False = it can't be seen yet."""
    if batch.lane is Lane.MOVE:
        if (write := look_again(sync, run, batch, job)) is None:
            return False
        _finish(sync, run, batch, job, write)
    elif batch.lane in REMOVALS:
        _apply_removal(sync, run, batch, job)
    else:
        _apply(sync, run, batch, job)
    return True


def raise_if_failed(sync: Sync, root_id: int) -> None:
    """Raise FatalError when jobs of a planned batch failed as a whole, and no single contact is to
    blame: the task must not look green.
    """
    with sync.state.transaction() as cursor:
        family = families.members(cursor, root_id)
    failed = [m.batch_id for m in family if m.outcome == PendingReason.JOB_FAILED]
    if failed:
        raise FatalError(
            f"The import jobs of batches {failed} failed as a whole at SendGrid. Their clients are "
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
    uploaded = batch.state is BatchState.SUBMITTED
    ended = PendingReason.JOB_NEVER_ENDED if uploaded else PendingReason.UPLOAD_NEVER_ARRIVED
    postpone(sync, run, batch, ended)
    return True


def _apply(sync: Sync, run: Run, batch: Batch, job: Job) -> None:
    if job.status is JobStatus.COMPLETED and counts_all(job, batch.contacts):
        _settle(sync, run, batch, job, Refusals())
        return
    with sync.state.transaction() as cursor:
        contacts = batch_contacts.count_contacts(cursor, batch.batch_id)
    named, count = _refused(sync, batch, job)
    judgement = judge(job, contacts, count)
    match judgement.do:
        case Do.CONFIRM:
            _settle(sync, run, batch, job, named)
        case Do.READ_BACK | Do.READ_SAMPLE:
            log.info("Batch %d: %d contacts, the job's counts: %s",
                     batch.batch_id, contacts, job.counts())  # fmt: skip
            wrong = not_applied(sync, run, batch, believe=True).difference(named.emails())
            if wrong and judgement.do is Do.READ_SAMPLE:
                _fail(sync, run, batch, job, judgement.reason)
            else:
                _settle(sync, run, batch, job, named, wrong)
        case Do.FIND_REFUSED:
            wrong = not_applied(sync, run, batch, believe=False).difference(named.emails())
            if len(wrong) + count == refused_by(job):
                named.add((email, Refused(Refusal.REFUSED_BY_SENDGRID)) for email in wrong)
                wrong = set()
            _settle(sync, run, batch, job, named, wrong)
        case Do.SEND_AGAIN:
            _fail(sync, run, batch, job, judgement.reason)


def _refused(sync: Sync, batch: Batch, job: Job) -> tuple[Refusals, int]:
    """What the job's errors file says, and how many of the batch's contacts it names."""
    if not job.errors_url or job.status is JobStatus.COMPLETED:
        return Refusals(), 0
    refusal = lru_cache(maxsize=1_000)(_refusal)  # its reasons are few
    try:
        with tempfile.TemporaryFile() as file:
            sync.sendgrid.errors_file(job, file)
            named = Refusals((email, refusal(said)) for email, said in read_errors(file))
    except (RetryableError, ConfigError) as error:  # ConfigError: a host that nobody trusts yet
        log.warning("%s; looking for the refused contacts in another way", error)
        return Refusals(), 0
    with sync.state.transaction() as cursor:
        count = settling.count_refused(cursor, batch.batch_id, named)
    log.info("The errors file names %d of %d refused contacts", count, job.errored)
    return named, count


def _refusal(said: str) -> Refused:
    words = plain(said)
    return Refused(Refusal.REFUSED_BY_SENDGRID, None if words == NOTHING_PLAIN else words)


def _settle(
    sync: Sync,
    run: Run,
    batch: Batch,
    job: Job,
    refused: Refusals,
    wrong: Collection[str] = (),
) -> None:
    """Confirm the batch's contacts but for the refused ones and those that aren't as sent."""

    new = 0
    wrong = {*wrong, *held_after(sync, run, batch, job)}.difference(refused.emails())

    def write(cursor: Cursor) -> Ending:
        nonlocal new
        late, given_up = settling.postpone_not_applied(cursor, batch.batch_id, wrong)
        known, new, rejected = settling.confirm(cursor, batch.batch_id, refused)
        if batch.run_id == run.run_id and moves.any_noted(cursor, batch.sync_id):
            moves.create_batches(cursor, (batch.sync_id, batch.run_id), batch)
        numbers = {"confirmed": known + new, "rejected": rejected + given_up, "not_applied": late}
        return Ending(Outcome.APPLIED, numbers)

    _finish(sync, run, batch, job, write)
    if new > ledger.MANY:
        ledger.analyze_ledger(sync.state)


def _fail(sync: Sync, run: Run, batch: Batch, job: Job, reason: PendingReason) -> None:
    """Nothing can be confirmed: try the contacts in other batches, or in the next run."""
    if batch.run_id != run.run_id:
        postpone(sync, run, batch, reason, job)
        return
    _finish(sync, run, batch, job, lambda cursor: postpone_and_split(cursor, run, batch, reason))


def _apply_removal(sync: Sync, run: Run, batch: Batch, job: Job) -> None:
    def write(cursor: Cursor) -> Ending:
        if job.status is not JobStatus.COMPLETED:
            removals.postponed(cursor, batch.batch_id)
            return Ending(Outcome.NOT_REMOVED)
        if batch.lane is Lane.DELETE and job.deleted < batch.contacts:
            # Whether deletions are counted is documented nowhere, so the next run's search decides.
            numbers = {"deleted": job.deleted, "contacts": batch.contacts}
            return Ending(Outcome.DELETIONS_UNCLEAR, numbers)
        removals.removed(cursor, batch.lane, batch.batch_id)
        outcome = Outcome.REMOVED if batch.lane is Lane.DELETE else Outcome.UNLISTED
        return Ending(outcome, {"removed": batch.contacts})

    _finish(sync, run, batch, job, write)


def postpone(
    sync: Sync,
    run: Run,
    batch: Batch,
    reason: PendingReason,
    job: Job | None = None,
    *,
    in_doubt: bool = False,
) -> None:
    """End a batch of which nothing can be confirmed: its clients become pending.

    `in_doubt`: what was sent may take effect later.
    """

    def write(cursor: Cursor) -> Ending:
        if batch.lane in REMOVALS:
            removals.postponed(cursor, batch.batch_id)
        else:
            settling.postpone(cursor, batch.batch_id, reason)
        return Ending(reason)

    _finish(sync, run, batch, job, write, in_doubt=in_doubt)


def void_batch(sync: Sync, run: Run, batch: Batch) -> None:
    """Drop a batch of which no byte has left."""
    with sync.state.transaction(run.fence) as cursor:
        if batch_moves.void(cursor, run, batch):
            settling.clear(cursor, batch.batch_id)
            if batch.lane in REMOVALS:
                removals.postponed(cursor, batch.batch_id)
    log.info("Batch %d of run %d had not been sent: dropped", batch.batch_id, batch.run_id)


def _finish(
    sync: Sync,
    run: Run,
    batch: Batch,
    job: Job | None,
    write: Callable[[Cursor], Ending],
    *,
    in_doubt: bool = False,
) -> None:
    """Settle the batch and write the ledger, in one transaction.

    A second process that settles the same batch finds it settled and writes nothing.
    """
    with sync.state.transaction(run.fence) as cursor:
        if not batch_moves.settle(cursor, run, batch, job, in_doubt=in_doubt):
            return
        ending = write(cursor)
        batches.set_outcome(cursor, batch.batch_id, ending)
        reach("batch_settled_uncommitted")
    reach("batch_settled")
    status = job.status if job else "no answer"
    said = in_words(ending.outcome, ending.numbers)
    log.info("Batch %d, job %s (%s): %s", batch.batch_id, batch.job_id, status, said)

"""End a batch: what became of it and each client's fate are written in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable

from contact_sync.base.failpoints import reach
from contact_sync.base.vocabulary import REMOVALS, Ending, Job, PendingReason
from contact_sync.base.words import outcome as in_words
from contact_sync.postgres.cursor import Cursor
from contact_sync.state import batch_moves, batches, removals, settling
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


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

    finish(sync, run, batch, job, write, in_doubt=in_doubt)


def void_batch(sync: Sync, run: Run, batch: Batch) -> None:
    """Drop a batch of which no byte has left."""
    with sync.state.transaction(run.fence) as cursor:
        if batch_moves.void(cursor, run, batch):
            settling.clear(cursor, batch.batch_id)
            if batch.lane in REMOVALS:
                removals.postponed(cursor, batch.batch_id)
    log.info("Batch %d of run %d had not been sent: dropped", batch.batch_id, batch.run_id)


def finish(
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

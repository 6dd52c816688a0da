"""Settle what earlier runs left open. SendGrid doesn't order jobs, so nothing new is sent while an
older upload may still run. What a crash at each point leaves: docs/architecture.md.
"""

from __future__ import annotations

import logging

from contact_sync.base.errors import FatalError
from contact_sync.base.failpoints import reach
from contact_sync.base.vocabulary import BatchState, PendingReason
from contact_sync.run.same_account import refuse_other_account
from contact_sync.run.sending.ending import postpone, void_batch
from contact_sync.run.sending.poll_job import settle_batch
from contact_sync.state import batches, identity, runs, staging, verifications
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
POLL_SECONDS = 15.0


def settle_earlier_runs(sync: Sync, run: Run) -> float | None:
    """Settle or void the open batches of earlier runs.

    Returns None when nothing older can reach SendGrid any more, else the seconds after which to
    call again; deadlines in the definition bound the number of calls.
    """
    if run.dry_run:
        return None
    left_open = batches.open_of_earlier_runs(sync.state, run)
    if left_open:
        refuse_other_account(sync, run)
    waits = [_settle_or_void(sync, run, batch_id) for batch_id in left_open]
    left = _quarantine_left(sync, run)
    if left > 0:
        log.info("A request of unknown fate may still take effect: waiting %.0f s", left)
        waits.append(min(left, 60.0))
    open_waits = [wait for wait in waits if wait is not None]
    if open_waits:
        return max(1.0, min(open_waits))
    reach("drained")
    with sync.state.transaction(run.fence) as cursor:
        staging.drop_outbox_of_older_runs(cursor, run.sync_id, run.run_id)
        runs.end_dead_dry_runs(cursor, run, hours=sync.definition.deadlines.run_hours)
        verifications.end_dead(cursor, run.sync_id, hours=sync.definition.deadlines.run_hours)
        staging.drop_slices_of_dead_runs(cursor, run.sync_id)
    log.info("Nothing of earlier runs is in flight")
    return None


def refuse_unsettled(sync: Sync, run: Run) -> None:
    """Raise FatalError if a run may not begin to send yet, because the step above was passed over:
    a person may have marked its task as a success while it waited."""
    if batches.open_of_earlier_runs(sync.state, run) or _quarantine_left(sync, run) > 0:
        raise FatalError(
            f"What earlier runs have sent may still take effect, and run {run.run_id:,} would send "
            f"beside it: its task settle_earlier_runs hasn't ended by itself. Trigger a new run, "
            f"and let that task wait. Nothing was sent"
        )


def _quarantine_left(sync: Sync, run: Run) -> float:
    """Seconds in which a request of unknown fate may still take effect; not above 0 = none can."""
    with sync.state.transaction() as cursor:
        ages = [batches.seconds_since_unknown(cursor, run.sync_id)]
        ages += [identity.seconds_since_forgotten(cursor, run.sync_id)]
    age = min((age for age in ages if age is not None), default=None)
    return 0 if age is None else sync.definition.deadlines.quarantine_minutes * 60 - age


def _settle_or_void(sync: Sync, run: Run, batch_id: int) -> float | None:
    batch = batches.load_batch(sync.state, batch_id)
    if batch.state in (BatchState.STAGED, BatchState.CREATED):
        void_batch(sync, run, batch)
        return None
    if batch.state is BatchState.SUBMITTING:
        left = sync.definition.deadlines.quarantine_minutes * 60 - (batch.unknown_seconds or 0)
        if left > 0:
            log.info("The request of batch %d, run %d, has no answer and may still take effect: "
                     "waiting %.0f s", batch_id, batch.run_id, left)  # fmt: skip
            return left
        postpone(sync, run, batch, PendingReason.FATE_UNKNOWN)
        return None
    if settle_batch(sync, run, batch_id):
        return None
    log.info("The job of batch %d, run %d, isn't over at SendGrid; it is waited for until %.1f "
             "hours after it was sent", batch_id, batch.run_id,
             sync.definition.deadlines.job_hours)  # fmt: skip
    return POLL_SECONDS

"""What is stored around a call that may have an effect, so that every crash is recoverable.

A task that Airflow takes for dead may still be at work while its next try is: both have the run's
epoch. So each write also checks what this try has stored itself: its job id, or the moment of its
announcement. A try that finds another one's stops, and never ends a doubt that isn't its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from contact_sync.base.errors import FateUnknown, SyncError
from contact_sync.base.vocabulary import NOTHING_TO_REMOVE, REMOVALS, BatchState, Outcome
from contact_sync.postgres.cursor import Cursor
from contact_sync.state import batch_moves, leases, removals, runs
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run
from contact_sync.sync import Sync


@contextmanager
def storing(sync: Sync, run: Run) -> Iterator[Cursor]:
    """A transaction that checks the fence, after proving the lease and extending it."""
    leases.renew_lease(sync.state, run)
    with sync.state.transaction(run.fence) as cursor:
        yield cursor


def announce(sync: Sync, run: Run, batch: Batch) -> datetime:
    """Store that a call which may not be repeated is about to leave; returns the moment."""
    with storing(sync, run) as cursor:
        return batch_moves.announce(cursor, run, batch)


@contextmanager
def undone_if_refused(sync: Sync, run: Run, batch: Batch, announced: datetime) -> Iterator[None]:
    """A definite refusal of a first try proves that nothing is under way."""
    try:
        yield
    except FateUnknown:
        raise
    except SyncError:
        if _is_first_try(batch):
            with storing(sync, run) as cursor:
                batch_moves.refused(cursor, run, batch, announced)
        raise


def accept(
    sync: Sync, run: Run, batch: Batch, job_id: str, announced: datetime, size: int | None = None
) -> None:
    """Store the id of the job that SendGrid's answer names, and how many bytes an upsert had."""
    first_try = _is_first_try(batch)
    with storing(sync, run) as cursor:
        batch_moves.accepted(cursor, run, batch, job_id, announced, first_try=first_try)
        if size is not None:
            runs.take_size(cursor, run.run_id, batch.lane, size)


def _is_first_try(batch: Batch) -> bool:
    """Whether no call of unknown fate had been announced when this try began."""
    return batch.state is BatchState.STAGED


def settle_unsent(sync: Sync, run: Run, batch: Batch, outcome: Outcome) -> None:
    """Settle a batch of which nothing has to be sent, in one transaction."""
    with storing(sync, run) as cursor:
        batch_moves.settle_unsent(cursor, run, batch, outcome)
        if batch.lane in REMOVALS and outcome in NOTHING_TO_REMOVE:
            removals.removed(cursor, batch.lane, batch.batch_id)

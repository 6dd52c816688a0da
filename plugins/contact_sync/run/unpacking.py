"""Make rows of contacts that are staged in blocks, so that each can be looked at by itself."""

from __future__ import annotations

from contact_sync.base.failpoints import reach
from contact_sync.state import outbox_blocks
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run
from contact_sync.sync import Sync


def has_blocks(sync: Sync, run: Run) -> bool:
    """Whether any contact of the run is in a block."""
    with sync.state.transaction() as cursor:
        return bool(outbox_blocks.of_run(cursor, run.run_id))


def unpack_run(sync: Sync, run: Run) -> None:
    """All that the run has staged."""
    with sync.state.transaction(run.fence) as cursor:
        outbox_blocks.unpack_run(cursor, run.run_id)
        reach("run_unpacked_uncommitted")
    reach("run_unpacked")


def unpack_batch(sync: Sync, run: Run, batch: Batch) -> None:
    """The contacts of a batch."""
    with sync.state.transaction(run.fence) as cursor:
        outbox_blocks.unpack_batch(cursor, batch.batch_id)
        reach("batch_unpacked_uncommitted")
    reach("batch_unpacked")

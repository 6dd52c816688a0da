"""Make rows of contacts that are staged in blocks, so that each can be looked at by itself."""

from __future__ import annotations

from contact_sync.base.failpoints import reach
from contact_sync.state import batches, outbox_blocks
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run
from contact_sync.sync import Sync


def has_blocks(sync: Sync, run: Run) -> bool:
    """Whether any contact of the run is in a block."""
    with sync.state.transaction() as cursor:
        return outbox_blocks.has_blocks(cursor, run.run_id)


def unpack_run(sync: Sync, run: Run) -> None:
    """All that the run has staged, unless it has begun to send it."""
    with sync.state.transaction(run.fence) as cursor:
        if batches.has_begun_to_send(cursor, run.run_id):
            return
        outbox_blocks.unpack_run(cursor, run.run_id)
        reach("run_unpacked_uncommitted")
    reach("run_unpacked")


def unpack_unless(sync: Sync, run: Run, batch: Batch, *, applied: bool) -> None:
    """The contacts of a batch, unless SendGrid has created all of them (`applied`) and none of them
    can be what is to be removed, or moved from. In a transaction of its own: the next one's
    statements know how many rows there are."""
    with sync.state.transaction() as cursor:
        if applied and outbox_blocks.is_fresh(cursor, run.sync_id):
            return
    with sync.state.transaction(run.fence) as cursor:
        outbox_blocks.unpack_batch(cursor, batch.batch_id)
        reach("batch_unpacked_uncommitted")
    reach("batch_unpacked")

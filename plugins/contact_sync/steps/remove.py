"""Remove the contacts of former addresses, after the new ones are confirmed."""

from __future__ import annotations

import logging

from contact_sync.failpoints import reach
from contact_sync.models import Lane
from contact_sync.state import batches, removals
from contact_sync.state.runs import Run
from contact_sync.steps.start import Sync

log = logging.getLogger(__name__)


def plan_removals(sync: Sync, run: Run) -> list[int]:
    """Batch the addresses that no client has any more; returns the delete batches to send."""
    if run.dry_run:
        return []
    with sync.state.transaction(run.fence) as cursor:
        if sync.definition.on_address_change == "keep":
            kept = removals.keep_all(cursor, run.sync_id)
            log.info("%d contacts of former addresses stay at SendGrid (policy keep)", kept)
            return []
        open_ids = batches.open_batch_ids(cursor, run.run_id, lanes=(Lane.DELETE,))
        if not open_ids:
            removals.create_batches(cursor, run.run_id, run.sync_id)
            open_ids = batches.open_batch_ids(cursor, run.run_id, lanes=(Lane.DELETE,))
        reach("removals_uncommitted")
    reach("removals_planned")
    log.info("%d batches of former addresses to remove", len(open_ids))
    return open_ids

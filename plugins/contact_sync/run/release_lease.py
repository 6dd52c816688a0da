"""End a run: free its lease, and mark it as failed when it didn't finish."""

from __future__ import annotations

import logging

from contact_sync.base.json_columns import Result
from contact_sync.base.marks import Phase
from contact_sync.base.vocabulary import RunState
from contact_sync.base.words import NO_CAUSE
from contact_sync.run.outer_mark import end_mark
from contact_sync.state import dropped, identity, runs
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


def release_lease(sync: Sync, run_id: int, cause: str | None) -> None:
    """Release the lease and mark a run that didn't finish as failed; harmless for others."""
    run = runs.load_run(sync.state, run_id)
    with sync.state.transaction() as cursor:
        if run.state is RunState.RUNNING:
            now, _ = dropped.count_dropped(cursor, run.sync_id, run.run_id)
            result = Result(dropped_now=now)
            runs.finish_run(cursor, run, RunState.FAILED, result=result, cause=cause)
            log.warning("Run %d of sync %r failed: %s", run_id, run.sync_name, cause or NO_CAUSE)
        if not run.dry_run:
            identity.renew(cursor, run.sync_id)
            runs.release_lease(cursor, run)
    if run.state is RunState.RUNNING:
        end_mark(sync, run, Phase.FAILED)

"""Begin a run under the sync's lease."""

from __future__ import annotations

import logging

from contact_sync.base.errors import SyncDisabled
from contact_sync.base.failpoints import reach
from contact_sync.base.run_life import ENDED
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.context import definition_hash
from contact_sync.state import runs
from contact_sync.state.clocks import pull_back
from contact_sync.state.runs import Options
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


def start_run(
    sync: Sync,
    kind: RunKind,
    *,
    holder: str,
    options: Options | None = None,
    take_over: bool = False,
) -> int:
    """Take the lease and create the run; returns its id. A dry run takes no lease.

    Raises SyncDisabled, LeaseBusy, or ConfigError when the state schema isn't there.
    """
    name, options = sync.definition.name, options or Options()
    if not sync.definition.enabled:
        raise SyncDisabled(
            f"Sync {name!r} is disabled and sends nothing: set `enabled: true` in its definition"
        )
    sync.state.check_schema()
    with sync.state.transaction() as cursor:
        known = runs.ensure_sync(cursor, name)
        pull_back(cursor, known.sync_id)  # also when another run holds the lease
    with sync.state.transaction() as cursor:
        known = runs.ensure_sync(cursor, name)
        lease = None
        if not options.dry_run:
            lease = runs.acquire_lease(cursor, known.sync_id, holder, take_over=take_over)
        run_id = runs.create_run(
            cursor,
            sync_id=known.sync_id,
            epoch=lease.epoch if lease else known.epoch,
            kind=kind,
            holder=holder,
            options=options,
            definition_hash=definition_hash(sync.definition),
        )
        if lease:
            for older in runs.end_older_runs(cursor, known.sync_id, run_id, lease.why):
                log.warning("Run %d ends run %d, because %s", run_id, older, ENDED[lease.why])
        reach("lease_taken_uncommitted")
    reach("run_started")
    log.info("Run %d of sync %r started: %s, %s", run_id, name, kind, options)
    return run_id

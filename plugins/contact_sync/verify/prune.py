"""Delete what is older than the definition's `retention` and that no run needs any more."""

from __future__ import annotations

import logging

from contact_sync.base.failpoints import reach
from contact_sync.config.definition import SyncDefinition
from contact_sync.state import pruning
from contact_sync.state.database import StateDatabase
from contact_sync.state.for_people.syncs import sync_row
from contact_sync.state.pruning import Prunable

log = logging.getLogger(__name__)


def prune(
    definition: SyncDefinition, state: StateDatabase, *, dry_run: bool = False
) -> dict[str, int]:
    """Delete, or in a dry run count; returns how many of each kind that the definition gives an
    age. Nothing of a sync that has never run, or whose ledger isn't believed: {}.

    It takes no lease: what it deletes, no run looks at. Safe to repeat, and after a crash: each
    transaction is whole by itself.
    """
    state.check_schema()
    ages = definition.retention.model_dump()
    with state.transaction() as cursor:
        row = sync_row(cursor, definition.name)
        is_believed = row is not None and pruning.is_believed(cursor, row.sync_id)
    if row is None or not is_believed:
        if row:
            log.warning("Nothing is deleted before a run has put the ledger beyond doubt again")
        return {}
    if dry_run:
        return pruning.count(state, row.sync_id, ages)
    done = {
        what.name: _deleted(state, row.sync_id, what, days)
        for what in pruning.PRUNABLE
        if (days := ages[what.name]) is not None
    }
    for name, n in done.items():
        if n:
            log.info("Deleted: %s %s", f"{n:,}", name.replace("_", " "))
    return done


def _deleted(state: StateDatabase, sync_id: int, what: Prunable, days: int) -> int:
    done = 0
    for some in pruning.prune(state, sync_id, what, days):
        done += some
        reach("pruned_in_part")
    return done

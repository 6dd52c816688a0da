"""Find what SendGrid must lose once the upserts are confirmed: former addresses, clients that two
snapshots in a row didn't hold, and members of a former list.

`remove_batch` sends the batches, as `send_batch` sends all others.
"""

from __future__ import annotations

import logging

from contact_sync.base.failpoints import reach
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import RemovalReason
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.context import mapping_of, snapshot_of
from contact_sync.run.removal_batches import plan_removals, removable
from contact_sync.state import former_lists, ledger, removals, suppressions_due
from contact_sync.state.ledger import ENOUGH_ABSENCES
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
OWN = (
    RemovalReason.ADDRESS_CHANGED,
    RemovalReason.ADDRESS_LOST,
    RemovalReason.EXCLUDED,
    RemovalReason.GONE,
    RemovalReason.FOREIGN,
)


def find_removals(sync: Sync, run: Run) -> list[int]:
    """Batch what nobody needs any more, after the upserts; returns the batches to send."""
    if not (run.dry_run or run.is_trial):
        with sync.state.transaction(run.fence) as cursor:
            if not snapshot_of(run).held:
                removals.retire_absent(cursor, run.sync_id, ENOUGH_ABSENCES)
            _leave_former_lists(cursor, sync, run)
            reach("removals_noted_uncommitted")
    return plan_removals(sync, run, (*OWN, RemovalReason.LIST_CHANGED))


def removals_ahead(sync: Sync, cursor: Cursor, run: Run, counts: dict[str, int]) -> int:
    """How many contacts the run is about to delete, take off a list or unsubscribe, for its plan.

    `counts` are those of what was staged. A dry run has noted nothing, so that it adds up.
    """
    if run.is_trial:
        return 0
    going = {why: sync.definition.removal_of(why) != "keep" for why in OWN}
    whys = (*(why for why, goes in going.items() if goes), RemovalReason.LIST_CHANGED)
    ahead = len(removable(cursor, sync, run, whys)) + _only_unsubscribed(sync, cursor, run, counts)
    moved = counts.get("address_changed", 0)
    if run.dry_run:
        moved += counts.get("given_up", 0)
        ahead += counts.get("newly_excluded", 0) * going[RemovalReason.EXCLUDED]
        ahead += counts.get("address_lost", 0) * going[RemovalReason.ADDRESS_LOST]
    ahead += moved * going[RemovalReason.ADDRESS_CHANGED]
    ahead += snapshot_of(run).retiring * going[RemovalReason.GONE]
    if sync.definition.on_list_change == "unlist":
        ahead += len(_former_lists(cursor, run)) * ledger.count_listed(cursor, run.sync_id)
    return ahead


def exclusions_ahead(sync: Sync, cursor: Cursor, run: Run, counts: dict[str, int]) -> int:
    """How many of these go, or stay and are unsubscribed, because their clients are excluded."""
    if run.is_trial:
        return 0
    if sync.definition.removal_of(RemovalReason.EXCLUDED) == "keep":
        return _only_unsubscribed(sync, cursor, run, counts)
    ahead = len(removable(cursor, sync, run, (RemovalReason.EXCLUDED,)))
    return ahead + (counts.get("newly_excluded", 0) if run.dry_run else 0)


def _only_unsubscribed(sync: Sync, cursor: Cursor, run: Run, counts: dict[str, int]) -> int:
    """How many contacts of newly excluded clients stay, and are unsubscribed. A dry run counts
    those of earlier exclusions, too."""
    definition = sync.definition
    if not definition.suppress_excluded or definition.removal_of(RemovalReason.EXCLUDED) != "keep":
        return 0
    ahead = suppressions_due.count_new(cursor, run.sync_id)
    return ahead + (counts.get("newly_excluded", 0) if run.dry_run else 0)


def _former_lists(cursor: Cursor, run: Run) -> set[str]:
    return former_lists.former_lists(cursor, (run.sync_id, run.run_id)) - {mapping_of(run).list_id}


def _leave_former_lists(cursor: Cursor, sync: Sync, run: Run) -> None:
    here = mapping_of(run).list_id
    if here is not None:
        former_lists.stay_on_list(cursor, run.sync_id, here)
    for former in _former_lists(cursor, run):
        if sync.definition.on_list_change == "keep":
            log.info("The list has changed; contacts stay on the former one, too (policy keep)")
            continue
        n = former_lists.leave_list(cursor, run.sync_id, former)
        log.info(
            "The list has changed: %s to be taken off the former one",
            count(n, "contact is", "contacts are"),
        )

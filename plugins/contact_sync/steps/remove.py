"""Plan what SendGrid must lose, at two moments of a run.

Before the upserts: newly excluded clients. After them, when the new addresses are confirmed: former
addresses, clients that two snapshots in a row didn't hold, and members of a former list.
"""

from __future__ import annotations

import logging
from collections import defaultdict

from contact_sync.failpoints import reach
from contact_sync.models import REMOVALS, Lane
from contact_sync.state import batches, removals, runs
from contact_sync.state.database import Cursor
from contact_sync.state.ledger import ENOUGH_ABSENCES
from contact_sync.state.runs import Run
from contact_sync.steps.approve import refuse_unapproved
from contact_sync.steps.start import Sync, mapping_of

log = logging.getLogger(__name__)
BEFORE = ("excluded",)
AFTER = ("address_changed", "excluded", "gone", "list_changed")
PER_RUN = removals.PER_BATCH * removals.MAX_BATCHES


def plan_exclusions(sync: Sync, run: Run) -> list[int]:
    """Batch the contacts of newly excluded clients, to be removed before anything is sent."""
    return _plan(sync, run, BEFORE)


def plan_removals(sync: Sync, run: Run) -> list[int]:
    """Batch what nobody needs any more, after the upserts; returns the batches to send."""
    if not run.dry_run:
        with sync.state.transaction(run.fence) as cursor:
            if not (run.snapshot or {}).get("held"):
                removals.retire_absent(cursor, run.sync_id, ENOUGH_ABSENCES)
            _leave_former_list(cursor, sync, run)
            reach("removals_noted_uncommitted")
    return _plan(sync, run, AFTER)


def removals_ahead(sync: Sync, cursor: Cursor, run: Run) -> int:
    """How many contacts of newly excluded clients the run is about to remove, for its plan."""
    if sync.definition.removal_of("excluded") == "keep":
        return 0
    return len(removals.removable(cursor, (run.sync_id, run.run_id), BEFORE))


def _plan(sync: Sync, run: Run, whys: tuple[str, ...]) -> list[int]:
    refuse_unapproved(run)
    if run.dry_run:
        return []
    with sync.state.transaction(run.fence) as cursor:
        open_ids = batches.open_batch_ids(cursor, run.run_id, lanes=REMOVALS)
        if not open_ids:
            _create(cursor, sync, run, whys)
            open_ids = batches.open_batch_ids(cursor, run.run_id, lanes=REMOVALS)
        reach("removals_uncommitted")
    reach("removals_planned")
    log.info("%d batches of contacts to remove (%s)", len(open_ids), ", ".join(whys))
    return open_ids


def _create(cursor: Cursor, sync: Sync, run: Run, whys: tuple[str, ...]) -> None:
    policies = {why: sync.definition.removal_of(why) for why in whys if why != "list_changed"}
    kept = tuple(why for why, policy in policies.items() if policy == "keep")
    if n := removals.keep(cursor, run.sync_id, kept):
        log.info("%d contacts stay at SendGrid (policy keep: %s)", n, ", ".join(kept))
    found = removals.removable(cursor, (run.sync_id, run.run_id), whys)
    if len(found) > PER_RUN:
        log.warning("%d contacts are to be removed, %d in this run", len(found), PER_RUN)
    here = mapping_of(run).list_id
    batched: dict[tuple[Lane, str | None], list[str]] = defaultdict(list)
    for row in found[:PER_RUN]:
        if row["why"] == "list_changed":
            batched[Lane.UNLIST, row["list_id"]].append(row["email"])
        elif policies[row["why"]] == "unlist":
            batched[Lane.UNLIST, here].append(row["email"])
        else:
            batched[Lane.DELETE, None].append(row["email"])
    for (lane, list_id), emails in batched.items():
        removals.create_batches(cursor, (run.sync_id, run.run_id), lane, list_id, emails)


def _leave_former_list(cursor: Cursor, sync: Sync, run: Run) -> None:
    before = (runs.read_sync(cursor, run.sync_name).destination or {}).get("mapping", {})
    former, here = before.get("list_id"), mapping_of(run).list_id
    if former is None or former == here:
        return
    if sync.definition.on_list_change == "keep":
        log.info("The list has changed; contacts stay on the former one, too (policy keep)")
        return
    n = removals.leave_list(cursor, run.sync_id, former)
    log.info("The list has changed: %d contacts are to be taken off the former one", n)

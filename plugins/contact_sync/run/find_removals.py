"""Plan what SendGrid must lose, at two moments of a run.

Before the upserts: newly excluded clients. After them, when the new addresses are confirmed: former
addresses, clients that two snapshots in a row didn't hold, and members of a former list.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import Any

from contact_sync.base.errors import FatalError
from contact_sync.base.failpoints import reach
from contact_sync.base.vocabulary import REMOVALS, Lane
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.approve_plan import refuse_unapproved
from contact_sync.run.context import mapping_of
from contact_sync.state import batches, ledger, removals
from contact_sync.state.ledger import ENOUGH_ABSENCES
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

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
            _leave_former_lists(cursor, sync, run)
            reach("removals_noted_uncommitted")
    return _plan(sync, run, AFTER)


def removals_ahead(sync: Sync, cursor: Cursor, run: Run, counts: dict[str, int]) -> int:
    """How many contacts the run is about to delete or take off a list, for its plan.

    `counts` are those of what was staged. A dry run has noted nothing, so that it adds up.
    """
    going = {why: sync.definition.removal_of(why) != "keep" for why in AFTER[:-1]}
    whys = (*(why for why, goes in going.items() if goes), "list_changed")
    ahead = len(_removable(cursor, sync, run, whys))
    moved = counts.get("address_changed", 0)
    if run.dry_run:
        moved += counts.get("given_up", 0)
        ahead += counts.get("newly_excluded", 0) * going["excluded"]
    ahead += moved * going["address_changed"]
    ahead += int((run.snapshot or {}).get("retiring", 0)) * going["gone"]
    if sync.definition.on_list_change == "unlist":
        ahead += len(_former_lists(cursor, run)) * ledger.count_listed(cursor, run.sync_id)
    return ahead


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
    ours = [why for why in whys if why != "list_changed"]
    kept = tuple(why for why in ours if sync.definition.removal_of(why) == "keep")
    if n := removals.keep(cursor, run.sync_id, kept):
        log.info("%d contacts stay at SendGrid (policy keep: %s)", n, ", ".join(kept))
    found = _removable(cursor, sync, run, whys)
    if len(found) > PER_RUN:
        log.warning("%d contacts are to be removed, %d in this run", len(found), PER_RUN)
    _refuse_unplanned(sync, run, len(found))
    batched: dict[tuple[Lane, str | None], list[str]] = defaultdict(list)
    for lane, list_id, email in found[:PER_RUN]:
        batched[lane, list_id].append(email)
    for (lane, list_id), emails in batched.items():
        removals.create_batches(cursor, (run.sync_id, run.run_id), lane, list_id, emails)


def _refuse_unplanned(sync: Sync, run: Run, found: int) -> None:
    """Raise FatalError when more is to go than the limit and the plan, which may be approved."""
    limit = sync.definition.limits.removals.of(int((run.snapshot or {})["selected"]))
    planned = int((run.plan or {})["counts"].get("to_remove", 0))
    if found > max(limit, planned):
        raise FatalError(
            f"{found} contacts would be removed, but the plan named {planned} and the limit is "
            f"{limit}: none of them is. Trigger a new run: its plan counts them"
        )


def _removable(
    cursor: Cursor, sync: Sync, run: Run, whys: tuple[str, ...]
) -> list[tuple[Lane, str | None, str]]:
    """Lane, list and address of the contacts to be removed now."""
    here = mapping_of(run).list_id
    found = []
    find = removals.noted if run.dry_run else removals.removable
    for row in find(cursor, (run.sync_id, run.run_id), whys):
        why = row["why"]
        policy = "unlist" if why == "list_changed" else sync.definition.removal_of(why)
        lane = _lane(row, policy, here)
        if lane is not None:
            list_id = row["list_id"] if why == "list_changed" else here
            found.append((lane, list_id if lane is Lane.UNLIST else None, row["email"]))
    return found


def _lane(row: dict[str, Any], policy: str, here: str | None) -> Lane | None:
    """How a contact is removed; None = not yet, because another sync needs it where it is.

    Whom another sync of this state database holds is unlisted, never deleted; an excluded client
    leaves the list even if the other sync has the same one.
    """
    if row["why"] == "list_changed":
        return None if row["list_id"] in (here, *row["others"]) else Lane.UNLIST
    if not row["others"]:
        return Lane.UNLIST if policy == "unlist" else Lane.DELETE
    if here is None or (here in row["others"] and row["why"] != "excluded"):
        return None
    return Lane.UNLIST


def _former_lists(cursor: Cursor, run: Run) -> set[str]:
    return removals.former_lists(cursor, (run.sync_id, run.run_id)) - {mapping_of(run).list_id}


def _leave_former_lists(cursor: Cursor, sync: Sync, run: Run) -> None:
    here = mapping_of(run).list_id
    if here is not None:
        removals.stay_on_list(cursor, run.sync_id, here)
    for former in _former_lists(cursor, run):
        if sync.definition.on_list_change == "keep":
            log.info("The list has changed; contacts stay on the former one, too (policy keep)")
            continue
        n = removals.leave_list(cursor, run.sync_id, former)
        log.info("The list has changed: %d contacts are to be taken off the former one", n)

"""Batch the contacts that SendGrid must lose: what `remove_excluded` and `find_removals` share."""

from __future__ import annotations

import logging
from collections import defaultdict

from contact_sync.base.errors import FatalError
from contact_sync.base.failpoints import reach
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import REMOVALS, Lane, RemovalReason
from contact_sync.base.words import REMOVALS as REMOVALS_IN_WORDS
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.approve_plan import exclusions_go_unasked, refuse_unapproved
from contact_sync.run.context import mapping_of, snapshot_of
from contact_sync.run.sending.suppress_excluded import suppress_excluded
from contact_sync.state import batches, removals, suppressions_due
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
PER_RUN = removals.PER_BATCH * removals.MAX_BATCHES


def plan_removals(sync: Sync, run: Run, whys: tuple[RemovalReason, ...]) -> list[int]:
    """Batch the contacts that are noted for one of these reasons and that nobody needs.

    Addresses of excluded clients are unsubscribed before, where the definition says so. Returns the
    ids of the batches to send, also those of an earlier try; none of a trial. Raises
    FatalError while the plan isn't approved, unless only exclusions go and these are within the
    limit, or when more contacts would go than it named and the limit allows.
    """
    if set(whys) != {RemovalReason.EXCLUDED} or not exclusions_go_unasked(sync.definition, run):
        refuse_unapproved(run)
    if run.dry_run or run.is_trial:
        return []
    with sync.state.transaction(run.fence) as cursor:
        open_ids = batches.open_batch_ids(cursor, run.run_id, lanes=REMOVALS)
        if not open_ids:
            _create(cursor, sync, run, whys)
            open_ids = batches.open_batch_ids(cursor, run.run_id, lanes=REMOVALS)
        reach("removals_uncommitted")
    reach("removals_planned")
    if RemovalReason.EXCLUDED in whys:
        suppress_excluded(sync, run)
    log.info("%s of contacts to remove (%s)", count(len(open_ids), "batch", "batches"), _said(whys))
    return open_ids


def _create(cursor: Cursor, sync: Sync, run: Run, whys: tuple[RemovalReason, ...]) -> None:
    ours = [why for why in whys if why is not RemovalReason.LIST_CHANGED]
    if RemovalReason.EXCLUDED in whys:
        _note_opt_outs(cursor, sync, run)
    kept = tuple(why for why in ours if sync.definition.removal_of(why) == "keep")
    if n := removals.keep(cursor, run.sync_id, kept):
        log.info(
            "%s at SendGrid (policy keep: %s)",
            count(n, "contact stays", "contacts stay"),
            _said(kept),
        )
    found = removable(cursor, sync, run, whys)
    if len(found) > PER_RUN:
        log.warning(
            "%s contacts are to be removed, %s in this run", f"{len(found):,}", f"{PER_RUN:,}"
        )
    _refuse_unplanned(sync, run, len(found))
    batched: dict[tuple[Lane, str | None], list[str]] = defaultdict(list)
    for lane, list_id, email in found[:PER_RUN]:
        batched[lane, list_id].append(email)
    for (lane, list_id), emails in batched.items():
        removals.create_batches(cursor, (run.sync_id, run.run_id), lane, list_id, emails)


def _note_opt_outs(cursor: Cursor, sync: Sync, run: Run) -> None:
    if sync.definition.suppress_excluded:
        _refuse_unplanned(sync, run, suppressions_due.note(cursor, run.sync_id))
    else:
        suppressions_due.forget_all(cursor, run.sync_id)


def _said(whys: tuple[RemovalReason, ...]) -> str:
    return "; ".join(REMOVALS_IN_WORDS[why] for why in whys)


def _refuse_unplanned(sync: Sync, run: Run, found: int) -> None:
    """Raise FatalError when more is to go than the limit and the plan, which may be approved."""
    limit = sync.definition.limits.removals.of(snapshot_of(run).selected)
    planned = run.plan.counts.get("to_remove", 0) if run.plan else 0
    if found > max(limit, planned):
        raise FatalError(
            f"{count(found, 'contact')} would be removed or unsubscribed, but the plan named "
            f"{planned:,} "
            f"and the limit is {limit:,}: none of them is. Trigger a new run: its plan counts them"
        )


def removable(
    cursor: Cursor, sync: Sync, run: Run, whys: tuple[RemovalReason, ...]
) -> list[tuple[Lane, str | None, str]]:
    """Lane, list and address of the contacts to be removed now; of a dry run, of all noted ones."""
    here = mapping_of(run).list_id
    found = []
    find = removals.noted if run.dry_run else removals.removable
    for row in find(cursor, (run.sync_id, run.run_id), whys):
        why = RemovalReason(row.why)
        policy = "unlist" if why == RemovalReason.LIST_CHANGED else sync.definition.removal_of(why)
        lane = _lane(row, policy, here)
        if lane is not None:
            list_id = row.list_id if why == RemovalReason.LIST_CHANGED else here
            found.append((lane, list_id if lane is Lane.UNLIST else None, row.email))
    return found


def _lane(row: removals.Removable, policy: str, here: str | None) -> Lane | None:
    """How a contact is removed; None = not yet, because another sync needs it where it is.

    Whom another sync of this state database has is unlisted, never deleted; an excluded client
    leaves the list even if the other sync has the same one.
    """
    if row.why == RemovalReason.LIST_CHANGED:
        return None if row.list_id in (here, *row.others) else Lane.UNLIST
    if not row.others:
        return Lane.UNLIST if policy == "unlist" else Lane.DELETE
    if here is None or (here in row.others and row.why != RemovalReason.EXCLUDED):
        return None
    return Lane.UNLIST

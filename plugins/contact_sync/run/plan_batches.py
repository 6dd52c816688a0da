"""Add up what was staged and cut it into batches."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from contact_sync.base.errors import FatalError
from contact_sync.base.failpoints import reach
from contact_sync.base.json_columns import Plan, Staged
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import SENDING, ExclusionReason
from contact_sync.base.words import above_limit
from contact_sync.postgres.cursor import Cursor
from contact_sync.run import approve_plan, cut_batches
from contact_sync.run.context import snapshot_of
from contact_sync.run.counting import first_examples, with_few_reasons
from contact_sync.run.find_removals import exclusions_ahead, removals_ahead
from contact_sync.run.sending.changed_fields import compare_changed, with_fields
from contact_sync.run.sending.excluded_contacts import leave_former_lists, look_up_excluded
from contact_sync.run.sending.look_before import look_before
from contact_sync.run.sending.move_person import plan_moves
from contact_sync.run.sending.removed_by_hand import leave_removed
from contact_sync.run.sending.suppressions import carry_suppressions
from contact_sync.run.settle_earlier_runs import refuse_unsettled
from contact_sync.run.stage_heirs import stage_heirs
from contact_sync.state import batches, ledger, moves, runs, staging
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


def plan_batches(sync: Sync, run: Run) -> list[int]:
    """Store the run's plan and its batches; returns the ids of the batches to send.

    Repeating it before anything was sent cuts again; afterwards it returns what is still open.
    Raises FatalError when a slice isn't staged, or what earlier runs have sent isn't settled.
    """
    with sync.state.transaction() as cursor:
        if batches.has_begun_to_send(cursor, run.run_id):
            return batches.open_batch_ids(cursor, run.run_id, lanes=SENDING)
    if not run.dry_run:
        refuse_unsettled(sync, run)
    if not (run.dry_run or run.is_trial):
        stage_heirs(sync, run)
    with sync.state.transaction() as cursor:
        slices = staging.slice_counts(cursor, run.run_id)
    plan = total(slices)
    seen = snapshot_of(run)
    plan = replace(plan, held_absences=seen.held, warned=seen.warned)
    if run.dry_run:
        _save_dry_plan(sync, run, plan)
        return []
    if plan.counts["to_send"] > ledger.MANY:
        staging.analyze_outbox(sync.state)
    plan = compare_changed(sync, run, _look_up(sync, run, plan))
    plan = _with(plan, held=plan.counts.get("held", 0) + carry_suppressions(sync, run))
    cut_batches.unpack_unless_usual(sync, run, plan.counts["to_send"])
    csv = cut_batches.uses_csv(sync, run, plan.counts["to_send"])
    plan = plan_moves(sync, run, look_before(sync, run, plan, csv=csv))
    contacts = cut_batches.staged_contacts(sync, run) if slices else None
    with sync.state.transaction(run.fence) as cursor:
        if not batches.drop_staged_batches(cursor, run.run_id):
            return batches.open_batch_ids(cursor, run.run_id, lanes=SENDING)
        leave_former_lists(cursor, sync, run)
        plan = _with_removals(cursor, sync, run, plan)
        having = approve_plan.contacts_having(cursor, sync.definition, run, plan)
        runs.save_plan(cursor, run.run_id, plan)
        runs.save_approval(
            cursor, run.run_id, approve_plan.needed(sync.definition, run, plan, having)
        )
        batch_ids = cut_batches.cut(cursor, sync, run, contacts)
        if not run.is_trial:  # what goes along from clients that moved earlier waits
            batch_ids += moves.create_batches(cursor, (run.sync_id, run.run_id))
        reach("plan_uncommitted")
    reach("run_planned")
    log.info("Plan: %s; %s", describe(plan), count(len(batch_ids), "batch", "batches"))
    return batch_ids


def _look_up(sync: Sync, run: Run, plan: Plan) -> Plan:
    """Look at SendGrid before anything is planned, once for each reading of the clients."""
    if not run.is_trial:
        look_up_excluded(sync, run)
    own = plan.counts.get("changed", 0) + plan.counts.get("sent_again", 0)
    found = leave_removed(sync, run, own)
    late, removed = found.pop("not_shown", 0), found.pop("removed_by_hand", 0)
    exclusions = {str(ExclusionReason.REMOVED_BY_HAND): removed} if removed else {}
    plan = _with(plan, **found, **({"held": late} if late else {}))
    return replace(plan, exclusions=dict(Counter(plan.exclusions) + Counter(exclusions)))


def _with(plan: Plan, **counts: int) -> Plan:
    return replace(plan, counts=plan.counts | counts)


def _with_removals(cursor: Cursor, sync: Sync, run: Run, plan: Plan) -> Plan:
    excluded = exclusions_ahead(sync, cursor, run, plan.counts)
    plan = _with(plan, to_remove=removals_ahead(sync, cursor, run, plan.counts))
    return _with(plan, to_exclude=excluded) if excluded else plan


def _save_dry_plan(sync: Sync, run: Run, plan: Plan) -> None:
    plan = with_fields(sync, run, plan)
    with sync.state.transaction() as cursor:
        plan = _with_removals(cursor, sync, run, plan)
        having = approve_plan.contacts_having(cursor, sync.definition, run, plan)
        above = approve_plan.above_limits(sync.definition, run, plan, having)
        plan = replace(plan, above_limits=above)
        runs.save_plan(cursor, run.run_id, plan)
    log.info("Dry run: %s", describe(plan))
    for what in above:
        log.info("A real run would ask for approval: %s", above_limit(what))


def total(slices: list[Staged | None]) -> Plan:
    """The sum of all slices' counts and reasons. Raises FatalError for an unstaged slice."""
    staged = [part for part in slices if part is not None]
    if missing := len(slices) - len(staged):
        raise FatalError(
            f"Not staged: {count(missing, 'slice')}, see the red `stage_clients` tasks"
        )
    counts = _added(part.counts for part in staged)
    counts["to_send"] = sum(counts[k] for k in ("new", "address_changed", "changed", "sent_again"))
    return Plan(
        counts=dict(sorted(counts.items())),
        rejections=dict(_added(part.rejections for part in staged).most_common()),
        exclusions=dict(
            with_few_reasons(+_added(part.exclusions for part in staged)).most_common()
        ),
        dropped=dict(_added(part.dropped for part in staged).most_common()),
        stale=dict(_added(part.stale for part in staged).most_common()),
        emptied=dict(_added(part.emptied for part in staged).most_common()),
        examples=first_examples(part.examples for part in staged),
    )


def _added(parts: Iterable[dict[str, int]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for part in parts:
        found.update(part)
    return found


def describe(plan: Plan) -> str:
    """The plan in one line, for logs."""
    counts = plan.counts
    words = ("read", "to_send", "new", "changed", "address_changed", "sent_again", "cleared",
             "unchanged", "rejected", "excluded", "pending", "to_remove")  # fmt: skip
    return ", ".join(f"{counts.get(w, 0):,} {w.replace('_', ' ')}" for w in words if w in counts)

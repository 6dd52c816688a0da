"""The breaker: a plan above the definition's limits needs a person's approval before it is sent."""

from __future__ import annotations

import logging
from dataclasses import replace

from contact_sync.base.errors import FatalError
from contact_sync.base.failpoints import reach
from contact_sync.base.json_columns import AboveLimit, Approval, Plan
from contact_sync.base.vocabulary import Answer, LimitName
from contact_sync.base.words import ANSWERS, above_limit
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.limits import Limits
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.context import mapping_of, snapshot_of
from contact_sync.state import ledger, runs
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


def above_limits(
    definition: SyncDefinition, run: Run, plan: Plan, having: dict[str, int]
) -> tuple[AboveLimit, ...]:
    """What of a run's plan is above the definition's limits; pure.

    Absent clients whose exact number a person has approved don't count. `having`: see below.
    """
    limits: Limits = definition.limits
    counts = plan.counts
    snapshot = snapshot_of(run)
    clients = snapshot.selected
    removals = counts.get("to_remove", 0)
    if run.approve_removals is not None and run.approve_removals == snapshot.gone:
        removals -= snapshot.retiring
    changes = counts.get("changed", 0) + counts.get("address_changed", 0)
    found = [
        AboveLimit(LimitName.CHANGES, changes, limits.changes.of(clients)),
        AboveLimit(LimitName.REMOVALS, removals, limits.removals.of(clients)),
    ]
    found += [
        AboveLimit(LimitName.CLEARS, plan.emptied[name], limits.clears.of(n), name, n)
        for name, n in having.items()
    ]
    return tuple(above for above in found if above.n > above.allowed)


def contacts_having(
    cursor: Cursor, definition: SyncDefinition, run: Run, plan: Plan
) -> dict[str, int]:
    """For each field that the plan empties in more contacts than the limit's least number: in how
    many the sync has filled it. One scan of the ledger, if there is such a field."""
    least = definition.limits.clears.of(0)
    bits = {f.name: f.bit for f in mapping_of(run).fields if plan.emptied.get(f.name, 0) > least}
    return ledger.count_having(cursor, run.sync_id, bits)


def needed(
    definition: SyncDefinition, run: Run, plan: Plan, having: dict[str, int]
) -> Approval | None:
    """The run's approval: None = nothing is above a limit; kept if it was given beforehand, or for
    this very plan (reading again takes it back)."""
    above = above_limits(definition, run, plan, having)
    if not above:
        return None
    log.warning("This plan needs a person's approval: %s", "; ".join(map(above_limit, above)))
    given = run.approval or Approval()
    return given if given.why else replace(given, why=above)


def decide(sync: Sync, run: Run, decision: Answer, who: str) -> None:
    """Store a person's decision about the run's plan; a second one doesn't change it."""
    if run.approval is None:
        raise FatalError(f"Run {run.run_id:,} needs no approval")
    with sync.state.transaction(run.fence) as cursor:
        if run.approval.decision is None:
            answered = replace(run.approval, decision=decision, by=who)
            runs.save_approval(cursor, run.run_id, answered)
            reach("approval_uncommitted")
    reach("plan_decided")
    log.info("The plan of run %d was %s by %s", run.run_id, ANSWERS[decision], who)


def exclusions_go_unasked(definition: SyncDefinition, run: Run) -> bool:
    """Whether contacts of excluded clients leave SendGrid whatever else the plan asks a person for:
    consent is no matter of size, unless they are too many by themselves."""
    if run.plan is None:
        return False
    limit = definition.limits.removals.of(snapshot_of(run).selected)
    return 0 < run.plan.counts.get("to_exclude", 0) <= limit


def is_unapproved(run: Run) -> bool:
    """Whether the run has no plan, or one above the limits that nobody has approved."""
    approval = run.approval
    return run.plan is None or (approval is not None and approval.decision != Answer.APPROVED)


def refuse_unapproved(run: Run) -> None:
    """Raise FatalError unless the run's plan is within the limits or a person approved it.

    Checked right before everything that has an effect outside, whatever called it.
    """
    if run.plan is None:
        raise FatalError(
            f"Run {run.run_id:,} has no plan: its clients were read again since it was planned. "
            f"Nothing was sent; trigger a new run"
        )
    if run.approval is None or run.approval.decision == Answer.APPROVED:
        return
    why = "; ".join(map(above_limit, run.approval.why))
    if run.approval.decision is not None:
        answered = f"{ANSWERS[run.approval.decision]} by {run.approval.by}"
        raise FatalError(f"The plan was {answered} ({why}): nothing was sent")
    raise FatalError(
        f"The plan is above the definition's limits ({why}) and nobody has approved it: nothing "
        f"was sent. Approve it in Airflow (task approve_plan), run it with --approve, or raise "
        f"`limits` in the definition"
    )

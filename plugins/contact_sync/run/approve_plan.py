"""The breaker: a plan above the definition's limits needs a person's approval before it is sent."""

from __future__ import annotations

import logging
from dataclasses import replace

from contact_sync.base.errors import FatalError
from contact_sync.base.failpoints import reach
from contact_sync.base.json_columns import Approval
from contact_sync.base.vocabulary import APPROVED, REFUSED
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.limits import Limits
from contact_sync.run.context import snapshot_of
from contact_sync.state import runs
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


def above_limits(definition: SyncDefinition, run: Run, counts: dict[str, int]) -> tuple[str, ...]:
    """What of a run's plan is above the definition's limits, in words; pure.

    Absent clients whose exact number a person has approved don't count.
    """
    limits: Limits = definition.limits
    snapshot = snapshot_of(run)
    clients = snapshot.selected
    removals = counts.get("to_remove", 0)
    if run.approve_removals is not None and run.approve_removals == snapshot.gone:
        removals -= snapshot.retiring
    changes = counts.get("changed", 0) + counts.get("address_changed", 0)
    found = [
        ("contacts would be changed", changes, limits.changes.of(clients)),
        ("contacts would be removed", removals, limits.removals.of(clients)),
    ]
    return tuple(f"{n} {what}, the limit is {limit}" for what, n, limit in found if n > limit)


def needed(definition: SyncDefinition, run: Run, counts: dict[str, int]) -> Approval | None:
    """The run's approval: None = nothing is above a limit; kept if it was given beforehand, or for
    this very plan (reading again takes it back)."""
    above = above_limits(definition, run, counts)
    if not above:
        return None
    log.warning("This plan needs a person's approval: %s", "; ".join(above))
    given = run.approval or Approval()
    return given if given.why else replace(given, why=above)


def decide(sync: Sync, run: Run, decision: str, who: str) -> None:
    """Store a person's decision about the run's plan; a second one doesn't change it."""
    if run.approval is None:
        raise FatalError(f"Run {run.run_id} needs no approval")
    with sync.state.transaction(run.fence) as cursor:
        if run.approval.decision is None:
            answered = replace(run.approval, decision=decision, by=who)
            runs.save_approval(cursor, run.run_id, answered)
            reach("approval_uncommitted")
    reach("plan_decided")
    log.info("The plan of run %d was %s by %s", run.run_id, decision, who)


def refuse_unapproved(run: Run) -> None:
    """Raise FatalError unless the run's plan is within the limits or a person approved it.

    Checked right before everything that has an effect outside, whatever called it.
    """
    if run.plan is None:
        raise FatalError(
            f"Run {run.run_id} has no plan: its clients were read again since it was planned. "
            f"Nothing was sent; trigger a new run"
        )
    if run.approval is None or run.approval.decision == APPROVED:
        return
    why = "; ".join(run.approval.why)
    if run.approval.decision == REFUSED:
        raise FatalError(f"The plan was refused by {run.approval.by} ({why}): nothing was sent")
    raise FatalError(
        f"The plan is above the definition's limits ({why}) and nobody has approved it: nothing "
        f"was sent. Approve it in Airflow (task approve_plan), run it with --approve, or raise "
        f"`limits` in the definition"
    )

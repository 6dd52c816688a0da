"""A plan as whoever decides about it has to see it: its limits, and the runs before. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from contact_sync.base.vocabulary import Answer, LimitName, RemovalReason, RunState
from contact_sync.base.words import REMOVALS
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.limits import Limits
from contact_sync.reporting.shown_run import ShownRun

LIMITED = {
    LimitName.CHANGES: "contacts changed",
    LimitName.REMOVALS: "contacts removed, unlisted or unsubscribed",
}
TREND = {
    "new": "new", "changed": "changed", "address_changed": "moved", "cleared": "cleared",
    "to_remove": "to remove", "rejected": "rejected", "excluded": "excluded",
}  # fmt: skip
"""What of a plan is compared with the runs before: the count's key, and its column's title."""


@dataclass(frozen=True, slots=True)
class LimitLine:
    """A limit of the definition: what it counts, how many the plan has, how many are allowed."""

    what: str
    n: int
    allowed: int
    is_above: bool


def limit_lines(run: ShownRun, limits: Limits) -> list[LimitLine]:
    """Changes and removals, whether or not they are above, and each field that is emptied in more
    contacts than the limit allows."""
    plan, selected = run.plan, run.snapshot.selected if run.snapshot else 0
    if plan is None:
        return []
    asked = run.approval.why if run.approval else plan.above_limits
    above = {each.limit: each for each in asked if each.field is None}
    counts = plan.counts
    numbers = {
        LimitName.CHANGES: counts.get("changed", 0) + counts.get("address_changed", 0),
        LimitName.REMOVALS: counts.get("to_remove", 0),
    }
    allowed = {
        LimitName.CHANGES: limits.changes.of(selected),
        LimitName.REMOVALS: limits.removals.of(selected),
    }
    lines = [
        LimitLine(what, above[name].n, above[name].allowed, is_above=True)
        if name in above
        else LimitLine(what, numbers[name], allowed[name], is_above=False)
        for name, what in LIMITED.items()
    ]
    emptied = [
        LimitLine(f"contacts in which {each.field} is emptied", each.n, each.allowed, is_above=True)
        for each in asked
        if each.field is not None
    ]
    return lines + emptied


def trend(runs: Iterable[ShownRun]) -> list[tuple[ShownRun, list[int]]]:
    """Runs that have a plan, with the numbers of TREND."""
    planned = ((run, run.plan.counts) for run in runs if run.plan is not None)
    return [(run, [counts.get(key, 0) for key in TREND]) for run, counts in planned]


BECOMES = {
    "delete": "deleted",
    "unlist": "taken off the list; the contact stays in the account",
    "keep": "stays, as the definition says",
}
"""What becomes of a contact that a plan removes, by the definition's policy."""


def can_show_removals(run: ShownRun) -> bool:
    """Whether what a run would remove is still there to be named: it was dry, holds removals, or
    wasn't approved so far. Only of the newest plan; each next run works on."""
    approval = run.approval
    is_unapproved = approval is not None and approval.decision != Answer.APPROVED
    return run.plan is not None and (run.dry_run or is_unapproved or run.plan.held_absences > 0)


def has_sent(run: ShownRun) -> bool:
    """Whether it has come to its end with what it was allowed to."""
    return run.state == RunState.SUCCEEDED and not run.dry_run


def becomes(run: ShownRun, definition: SyncDefinition, why: str) -> str:
    """What becomes of a contact that goes for a reason."""
    if why == RemovalReason.LIST_CHANGED:
        return "taken off the former list"
    policy = definition.removal_of(RemovalReason(why))
    seen = run.snapshot
    if why == RemovalReason.GONE and policy != "keep" and seen is not None:
        if seen.held:
            return "held: it stays until a person names exactly the number of absent clients"
        if not seen.retiring:
            return "stays for now: a client has to be absent twice in a row"
    return BECOMES[policy]


def reason(why: str) -> str:
    """Why a contact goes."""
    return REMOVALS[why]

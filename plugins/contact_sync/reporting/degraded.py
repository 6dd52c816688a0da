"""What isn't as it should be after a run that came to its end, and what of it is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contact_sync.base.degraded import Degraded
from contact_sync.base.json_columns import JobReport, Plan
from contact_sync.base.vocabulary import NOTHING_TO_REMOVE, REMOVALS, Outcome


def degraded(plan: Plan, books: dict[str, int], jobs: Sequence[JobReport]) -> dict[Degraded, int]:
    """What is not as it should be after a run that came to its end; {} = all is well.

    `books`: with the numbers of `stale` clients, `fields_refused` for everybody, `in_vain`,
    `unsearchable` and `restrained` removals, exclusions that are `not_carried_out`, excluded
    clients' addresses that are `not_unsubscribed`, erasures that are open or late, and answers of
    the account profile that are `contradicted`.
    """
    undone = [job for job in jobs if job.lane in REMOVALS and not is_removed(job)]
    impossible = sum(job.rows for job in undone if job.outcome == Outcome.UNSEARCHABLE)
    found = {
        Degraded.REJECTED: books["rejected"],
        Degraded.PENDING: books["pending"],
        Degraded.STALE: books.get("stale", 0),
        Degraded.FIELDS_REFUSED: books.get("fields_refused", 0),
        Degraded.UNMOVED: books.get("unmoved", 0),
        Degraded.UNMOVABLE: plan.counts.get("unmovable", 0),
        Degraded.ABSENCES_HELD: plan.held_absences,
        Degraded.REMOVALS_OPEN: sum(job.rows for job in undone) - impossible,
        Degraded.REMOVALS_IMPOSSIBLE: impossible + books.get("unsearchable", 0),
        Degraded.REMOVALS_IN_VAIN: books.get("in_vain", 0),
        Degraded.EXCLUSIONS_OPEN: books.get("not_carried_out", 0),
        Degraded.OPT_OUTS_OPEN: books.get("not_unsubscribed", 0),
        Degraded.RETURNS_UNSEEN: plan.counts.get("not_looked_up", 0),
        Degraded.RESTRAINED: books.get("restrained", 0),
        Degraded.ERASURES_OPEN: books.get("erasures_open", 0),
        Degraded.ERASURES_LATE: books.get("erasures_late", 0),
        Degraded.PROFILE_CONTRADICTED: books.get("contradicted", 0),
    }
    return {what: n for what, n in found.items() if n}


RESTLESS = (
    Degraded.PENDING, Degraded.ABSENCES_HELD, Degraded.EXCLUSIONS_OPEN, Degraded.OPT_OUTS_OPEN,
    Degraded.ERASURES_OPEN, Degraded.ERASURES_LATE,
)  # fmt: skip
"""What makes a run degraded each time: it is about this very run, or somebody's no isn't heard."""


def newly_degraded(
    now: Mapping[Degraded, int], before: Mapping[str, int], rejected: int
) -> dict[Degraded, int]:
    """How much of what isn't as it should be is more than after the run before. What is known and
    unchanged isn't in it. `rejected`: so many clients are rejected that weren't when it began."""
    more = {
        what: n if what in RESTLESS else n - before.get(what, 0)
        for what, n in now.items()
        if what is not Degraded.REJECTED
    }
    return {what: n for what, n in (more | {Degraded.REJECTED: rejected}).items() if n > 0}


def is_removed(job: JobReport) -> bool:
    """Whether a removal's contacts are where they shall be."""
    return job.outcome in (Outcome.REMOVED, Outcome.UNLISTED, *NOTHING_TO_REMOVE)

"""Whether absent clients are believed to be gone."""

from __future__ import annotations

import logging

from contact_sync.base.numbers import count
from contact_sync.config.definition import SyncDefinition
from contact_sync.state.runs import Run

log = logging.getLogger(__name__)


def absences_to_hold(
    definition: SyncDefinition, run: Run, gone: int, *, known: int, present: int
) -> int:
    """How many absent clients are held: they aren't counted as absent. `known`: how many clients
    the ledger has, `present`: B2CORE.

    A view that loses rows, an empty replica or the wrong database look like mass deletion. Upserts
    go on; removals of absent clients wait until a person names their exact number.
    """
    limit = definition.limits.removals.of(known)
    if gone == 0 or (gone <= limit and present):
        return 0
    if run.approve_removals == gone:
        log.info("The removal of %s is approved", count(gone, "absent client"))
        return 0
    log.warning(
        "Absent are %s that B2CORE had, the limit is %s: none is removed. "
        "If that is right, trigger a run with `approve removals` = %s",
        count(gone, "client"), f"{limit if present else 0:,}", f"{gone:,}",
    )  # fmt: skip
    return gone

"""Rules about what stays, however old it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, LiteralString

from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state.pruning import Prunable
from tests.integration.runs import test_pruning
from tests.mutants.mutant import STATE, Mutant, gives

Due = Callable[..., list[dict[str, Any]]]
EVERY: dict[str, LiteralString] = {
    "batches": """SELECT batch_id FROM contact_sync.batch WHERE NOT is_open
                  ORDER BY root_id IS NULL, batch_id""",
    "kept_removals": "SELECT email FROM contact_sync.removal WHERE kept",
}


def every(name: str) -> Callable[..., list[dict[str, Any]]]:
    """Each row of a kind is due, whatever needs it."""

    def all_due(
        due: Due, cursor: Cursor, sync_id: int, what: Prunable, *age: Any, **most: Any
    ) -> list[dict[str, Any]]:
        if what.name == name:
            return many(cursor, EVERY[name])
        return due(cursor, sync_id, what, *age, **most)

    return all_due


MUTANTS = [
    Mutant("Batches by which clients were sent last stay",
           {f"{STATE}.pruning._due": every("batches")},
           test_pruning.test_L03_only_what_is_old_and_that_nobody_builds_on_goes),
    Mutant("The hash of an address that a client has stays",
           {f"{STATE}.pruning._due": every("kept_removals")},
           test_pruning.test_L03_a_kept_hash_stays_as_long_as_a_client_may_need_it),
    Mutant("Nothing is deleted while the ledger is in doubt",
           {f"{STATE}.pruning.is_believed": gives(True)},
           test_pruning.test_L03_nothing_goes_while_the_ledger_is_in_doubt),
]  # fmt: skip

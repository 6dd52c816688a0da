"""Read whose contacts a plan would remove, before it does: some for each reason."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import groupby

from contact_sync.base.changes import ChangeKind
from contact_sync.base.vocabulary import RemovalReason
from contact_sync.postgres.cursor import Cursor, rows_as
from contact_sync.state import statements

SQL = statements.load("for_people/planned_removals")
NOT_NOTED = {
    ChangeKind.ABSENT: RemovalReason.GONE,
    ChangeKind.MOVED: RemovalReason.ADDRESS_CHANGED,
    ChangeKind.EXCLUDED: RemovalReason.EXCLUDED,
}
"""Kinds of changed clients whose contacts go, too, and why; a run notes them only as it works."""


@dataclass(frozen=True, slots=True)
class PlannedRemoval:
    """A contact that would go: whose it is (`client_id` 0 = of nobody that is known), why (a
    RemovalReason), and from which former list alone, "" = from none."""

    client_id: int
    client_key: str | None
    email: str = dataclasses.field(repr=False)
    why: str
    list_id: str

    @property
    def called(self) -> str:
        """What its client is called; "" = it is of none that is known."""
        return self.client_key or (str(self.client_id) if self.client_id else "")


def planned_removals(
    cursor: Cursor, run_id: int, at_most: int, *, has_sent: bool
) -> list[PlannedRemoval]:
    """At most so many for each reason; of the newest run only, because the next one works on. One
    that `has_sent` has noted all but those of absent clients."""
    kinds = [ChangeKind.ABSENT] if has_sent else list(NOT_NOTED)
    parameters = {
        "run_id": run_id, "at_most": at_most, "reasons": [str(why) for why in RemovalReason],
        "kinds": [str(kind) for kind in kinds], "whys": [str(NOT_NOTED[kind]) for kind in kinds],
    }  # fmt: skip
    found = rows_as(PlannedRemoval, cursor, SQL["samples"], parameters)
    return [row for _, rows in groupby(found, lambda row: row.why) for row in list(rows)[:at_most]]

"""Read what a full run would send as far as the sync knows by itself: for a page, in milliseconds.

Nothing of B2CORE is read here: what has changed there since the last run isn't in these numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.refusal_retries import MAX_RETRIED, next_try
from contact_sync.base.vocabulary import Refusal, RemovalReason
from contact_sync.config.definition import SyncDefinition
from contact_sync.postgres.cursor import Cursor, many, one
from contact_sync.state import statements

SQL = statements.load("for_people/expected")
LOOKED_AT = 2_000
"""Of more rows a share is taken for that of all."""


class Waiting(NamedTuple):
    """Clients and contacts that a run sends or removes whatever has changed in B2CORE.

    `pending` ones, about `new` of which SendGrid has no contact; `retried`: rejected by SendGrid,
    and due to be sent again; `removals`: contacts to be removed.
    """

    pending: int
    new: int
    retried: int
    removals: int


@dataclass(frozen=True, slots=True)
class Expected:
    """`watermark`: up to where B2CORE was read, None = no run has finished yet. `edition`: hash of
    the definition that the base was made with, None = nobody knows. `unproven`: why the ledger
    isn't believed, None = it is. `now`: the database's clock."""

    waiting: Waiting
    watermark: SourceSnapshot | None
    edition: str | None
    unproven: str | None
    now: datetime


def expected(cursor: Cursor, definition: SyncDefinition, base: int | None) -> Expected | None:
    """None before the sync's first run. `base`: the run from whose plan the page takes its numbers,
    None = from here, so that the newest run that sent is the base."""
    rows = many(cursor, SQL["sync"], {"name": definition.name, "run_id": base})
    if not rows:
        return None
    sync_id = rows[0].pop("sync_id")
    watermark = SourceSnapshot.of_column(rows[0].pop("watermark"))
    return Expected(_waiting(cursor, sync_id, definition, rows[0]["now"]), watermark, **rows[0])


def _waiting(
    cursor: Cursor, sync_id: int, definition: SyncDefinition, now: datetime
) -> Waiting:  # fmt: skip
    ids = {"sync_id": sync_id}
    pending = int(one(cursor, SQL["pending"], ids)["n"])
    some = one(cursor, SQL["new_of_pending"], ids | {"at_most": LOOKED_AT})
    new = pending * some["new"] // some["n"] if some["n"] else 0
    refused = many(cursor, SQL["refused"], ids | {"reasons": list(Refusal), "at_most": LOOKED_AT})
    hours = definition.full_every_hours
    due = sum(next_try(row["first"], row["last"], hours) <= now for row in refused)
    return Waiting(pending, new, min(due, MAX_RETRIED), _removals(cursor, ids, definition))


def _removals(cursor: Cursor, ids: dict[str, int], definition: SyncDefinition) -> int:
    """Contacts that are noted, and those of clients that the next look may find gone for certain;
    not those that the definition keeps."""
    noted = {RemovalReason(row["why"]): row["n"] for row in many(cursor, SQL["removals"], ids)}
    noted[RemovalReason.GONE] = noted.get(RemovalReason.GONE, 0) + int(
        one(cursor, SQL["absent"], ids)["n"]
    )
    return sum(
        n
        for why, n in noted.items()
        if why is RemovalReason.LIST_CHANGED or definition.removal_of(why) != "keep"
    )

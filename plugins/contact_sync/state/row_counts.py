"""How many rows of phones, addresses and the like each client had in B2CORE, as counted last.

A row that is deleted, or given to another client, leaves nothing that a later run could see.
PostgreSQL counts that there were some; whose is found by counting again: a client with another
number of rows, or one that a run has looked at since, whose number may have risen and fallen.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from contact_sync.base.arrays import Int64
from contact_sync.base.row_counts import RowCounts
from contact_sync.postgres.cursor import Cursor, many, one, rows_as
from contact_sync.postgres.packed import packed, unpacked
from contact_sync.state import statements

SQL = statements.load("row_counts")


@dataclass(frozen=True, slots=True)
class Counted:
    """The run that counted last and succeeded, and how many clients runs have looked at since; some
    more than once. `of_everybody`: it compared everybody with what it counted."""

    run_id: int
    of_everybody: bool
    looked_at: int


def newest(cursor: Cursor, sync_id: int, run_id: int) -> Counted | None:
    """The newest count before this run; None = there is none."""
    found = rows_as(Counted, cursor, SQL["newest"], {"sync_id": sync_id, "run_id": run_id})
    return found[0] if found else None


def read(cursor: Cursor, sync_id: int, counted: Counted) -> tuple[RowCounts, Int64]:
    """What was counted, and whom runs have looked at since."""
    parameters = {"sync_id": sync_id, "run_id": counted.run_id}
    stored = one(cursor, SQL["read"], parameters)["counted"]
    looked_at = [row["client_id"] for row in many(cursor, SQL["looked_at_since"], parameters)]
    return _read(stored), np.array(looked_at, np.int64)


def _read(stored: bytes) -> RowCounts:
    table = unpacked(stored)
    return RowCounts(*(np.asarray(table.column(name), np.int64) for name in ("client_id", "rows")))


def save(cursor: Cursor, sync_id: int, run_id: int, counts: RowCounts) -> None:
    """Keep what the run has counted; it counts once the run has succeeded."""
    table = pa.table({"client_id": counts.client_id, "rows": counts.rows.astype(np.int32)})
    parameters = {"sync_id": sync_id, "run_id": run_id, "counted": packed(table)}
    cursor.execute(SQL["save"], parameters)


def forget_clients(cursor: Cursor, sync_id: int, ids: Collection[int]) -> int:
    """Take these clients out of all that was counted; returns out of how many runs' counts."""
    gone, found = np.array(sorted(ids), np.int64), 0
    for row in many(cursor, SQL["kept"], {"sync_id": sync_id}):
        counts = _read(row["counted"])
        left = ~np.isin(counts.client_id, gone)
        if not left.all():
            save(
                cursor, sync_id, row["run_id"], RowCounts(counts.client_id[left], counts.rows[left])
            )
            found += 1
    return found


def forget_own(cursor: Cursor, sync_id: int, run_id: int) -> None:
    """Forget what an earlier try of this run has counted: it isn't of what the run looks at now."""
    cursor.execute(SQL["forget_own"], {"sync_id": sync_id, "run_id": run_id})


def note_looked_at(cursor: Cursor, sync_id: int, run_id: int, ids: Int64) -> None:
    """The run looks at these clients; noted of a sync whose rows are counted."""
    if not len(ids):
        return
    parameters = {"sync_id": sync_id, "run_id": run_id, "client_ids": ids.tolist()}
    cursor.execute(SQL["note_looked_at"], parameters)


def forget_older(cursor: Cursor, sync_id: int, run_id: int, *, everyone: bool) -> None:
    """The run succeeds: what it has counted stands for all that was kept before, and so does that
    it has compared `everyone`."""
    parameters = {"sync_id": sync_id, "run_id": run_id, "everyone": everyone}
    cursor.execute(SQL["forget_older"], parameters)

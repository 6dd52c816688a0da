"""Find whose phones or addresses were deleted: rows that leave nothing behind for `xmin`.

PostgreSQL counts deletions by table. Once one was counted in a table that no client's own row is
in, the rows of each client are counted in one pass, and compared with the count before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from contact_sync.b2core.counts import SCAN
from contact_sync.b2core.reader import Snapshot
from contact_sync.base.arrays import Int64
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.row_counts import RowCounts
from contact_sync.base.run_life import KindReason
from contact_sync.base.source_look import SourceCounts
from contact_sync.base.vocabulary import RunKind
from contact_sync.state import row_counts
from contact_sync.state.affected import RunBefore
from contact_sync.state.database import StateDatabase
from contact_sync.state.runs import Run

ENOUGH_LOOKED_AT = 100_000
"""So many clients looked at since: they are counted again, so that their list stays small."""
NOBODY = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Lost:
    """Clients whose rows may have been deleted, and what was counted anew; None = nothing was."""

    clients: Int64
    counts: RowCounts | None


def lost_rows(
    state: StateDatabase, run: Run, snapshot: Snapshot, kind: tuple[RunKind, KindReason],
    mark: SourceSnapshot | None, before: RunBefore | None,
) -> Lost:  # fmt: skip
    """Count only if there is a reason to: a deletion, or a full run, which compares everybody. A
    first load leaves it to the run after it, which has nothing else to do."""
    now, then = snapshot.counts, mark.counts if mark else None
    parts = _parts(now)
    if run.is_trial or now is None or not parts or kind[1] is KindReason.FIRST_LOAD:
        return Lost(NOBODY, None)
    if kind[0] is not RunKind.INCREMENTAL:
        return Lost(NOBODY, snapshot.row_counts(parts))
    with state.transaction() as cursor:
        kept = row_counts.newest(cursor, run.sync_id, run.run_id)
    stands_still = then is not None and _deleted(now, parts) == _deleted(then, parts)
    if kept is None:
        was_full = before is not None and before.kind != RunKind.INCREMENTAL
        return Lost(NOBODY, snapshot.row_counts(parts) if was_full and stands_still else None)
    if stands_still and kept.looked_at < ENOUGH_LOOKED_AT:
        return Lost(NOBODY, None)
    counts = snapshot.row_counts(parts)
    with state.transaction() as cursor:
        earlier, looked_at = row_counts.read(cursor, run.sync_id, kept)
    return Lost(np.union1d(counts.differing(earlier), looked_at), counts)


def _parts(counts: SourceCounts | None) -> list[str]:
    """Those that read no table of scan.sql, where a deleted row is a client that is gone."""
    if counts is None or counts.unusable:
        return []
    own = set(counts.parts[SCAN])
    return [part for part, oids in counts.parts.items() if not own & set(oids)]


def _deleted(counts: SourceCounts, parts: list[str]) -> dict[int, int] | None:
    """By table; None = not known."""
    if counts.unusable or not set(parts) <= set(counts.parts):
        return None
    return {oid: counts.tables[oid].deleted for part in parts for oid in counts.parts[part]}

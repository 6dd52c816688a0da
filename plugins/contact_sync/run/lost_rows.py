"""Find whose phones or addresses are gone: rows that leave nothing behind for `xmin`.

Such a row was deleted, or given to another client: then the other one's row is new, and nothing
tells of the one that had it. PostgreSQL counts both by table. Once one was counted in a table that
no client's own row is in, the rows are counted of all clients of whom nothing is new: any row that
comes is new, so that these can only have become fewer. If they have, the rows of each client are
counted, and compared with the count before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from contact_sync.b2core.counts import SCAN
from contact_sync.b2core.plans import giving_rows
from contact_sync.b2core.reader import Snapshot
from contact_sync.b2core.rows_of_clients import by_client, of_others
from contact_sync.base.arrays import Int64, united
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.row_counts import RowCounts
from contact_sync.base.run_life import KindReason
from contact_sync.base.source_look import LookWhy, SourceCounts
from contact_sync.base.vocabulary import RunKind
from contact_sync.postgres.cursor import Cursor
from contact_sync.state import row_counts
from contact_sync.state.database import StateDatabase
from contact_sync.state.runs import Run

ENOUGH_LOOKED_AT = 100_000
"""So many clients looked at since: they are counted again, so that their list stays small."""
FEW, MANY = 500, 50_000
"""So many clients that were looked at since are looked at again, rather than count each client's
rows; and so many with something new may be left out of a count."""
NOBODY = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Lost:
    """Clients whose rows may be gone, and what was counted anew; None = nothing was. `read`: parts
    whose changed rows were read for that, of which all clients are among these."""

    clients: Int64
    counts: RowCounts | None
    read: tuple[str, ...] = ()


NOTHING_LOST = Lost(NOBODY, None)


def lost_rows(
    state: StateDatabase, run: Run, snapshot: Snapshot, kind: tuple[RunKind, KindReason],
    mark: SourceSnapshot | None,
) -> Lost | None:  # fmt: skip
    """None = some are gone, and nobody knows whose. Counts only if there is a reason to: rows that
    may be gone, or a full run, which compares everybody. A first load leaves it to the run after
    it, which has nothing else to do."""
    if run.is_trial or kind[1] is KindReason.FIRST_LOAD:
        return NOTHING_LOST
    if kind[0] is RunKind.INCREMENTAL:
        return _lost_since(state, run, snapshot, mark)
    return rows_now(snapshot)


def _lost_since(
    state: StateDatabase, run: Run, snapshot: Snapshot, mark: SourceSnapshot | None
) -> Lost | None:
    now = snapshot.counts
    if now is None or now.unusable:
        return NOTHING_LOST
    then = _then(mark, now)
    if then is not None and _are_looked_up(snapshot, _with_deletions(then, now)):
        return None
    if not parts_to_count(now):
        return NOTHING_LOST
    was_full = mark is not None and mark.look_why == LookWhy.EVERYBODY
    return _lost_of_clients(state, run, snapshot, (then, now), was_full=was_full)


def _lost_of_clients(
    state: StateDatabase,
    run: Run,
    snapshot: Snapshot,
    counts: tuple[SourceCounts | None, SourceCounts],
    *,
    was_full: bool,
) -> Lost | None:
    """`counts`: of the run before and of now; `was_full`: that run compared everybody."""
    then, now = counts
    with state.transaction() as cursor:
        kept = row_counts.newest(cursor, run.sync_id, run.run_id)
    if kept is None and was_full and not _are_deleted(then, now):
        return rows_now(snapshot)
    # That a row was gone before a count that compared nobody, PostgreSQL may tell late.
    if kept is None or (not kept.of_everybody and _are_deleted(then, now)):
        return None
    if kept.looked_at < ENOUGH_LOOKED_AT and not _may_be_gone(then, now):
        return NOTHING_LOST
    with state.transaction() as cursor:
        earlier, looked_at = row_counts.read(cursor, run.sync_id, kept)
    return _compared(snapshot, then, earlier, looked_at)


def _then(mark: SourceSnapshot | None, now: SourceCounts) -> SourceCounts | None:
    """What was counted of the same tables; also if it didn't tell enough for the run, which has
    read everything then."""
    if mark is None or mark.counts is None or mark.counts.parts != now.parts:
        return None
    then, horizon = mark.counts, int(mark.horizon)
    tables = {oid: replace(t, horizon=t.horizon or horizon) for oid, t in then.tables.items()}
    return replace(then, tables=tables)


def _compared(
    snapshot: Snapshot, then: SourceCounts | None, earlier: RowCounts, looked_at: Int64
) -> Lost:
    """Those of whom something is new, if no other client has fewer rows than `earlier`; else all
    who have another number."""
    parts = parts_to_count(snapshot.counts)
    if then is None:
        counts = by_client(snapshot, parts)
        return Lost(united(counts.differing(earlier), looked_at), counts)
    new = united(looked_at, *(_changed(snapshot, then, part) for part in parts))
    is_cheaper = len(looked_at) <= FEW and len(new) <= MANY
    if is_cheaper and of_others(snapshot, parts, new) == earlier.of_others(new):
        return Lost(new, None, tuple(parts))
    counts = by_client(snapshot, parts)
    return Lost(united(counts.differing(earlier), new), counts, tuple(parts))


def rows_now(snapshot: Snapshot) -> Lost:
    """Nobody's are gone, as far as that matters: everybody's are counted for the runs after it."""
    parts = parts_to_count(snapshot.counts)
    return Lost(NOBODY, by_client(snapshot, parts)) if parts else NOTHING_LOST


def note_rows(
    cursor: Cursor, run: Run, kind: RunKind, lost: Lost, looked_at: tuple[pa.Table, Int64]
) -> None:
    """Note what was counted, or of whom a count doesn't tell of any more. `looked_at`: the run's
    clients, and those with something new, whether or not B2CORE has them."""
    if lost.counts is not None:
        row_counts.save(cursor, run.sync_id, run.run_id, lost.counts)
        return
    row_counts.forget_own(cursor, run.sync_id, run.run_id)
    members, changed = looked_at
    is_anybody = members.num_rows or len(
        changed
    )  # of nobody an array isn't made, which loads pandas
    if is_anybody and (kind is RunKind.INCREMENTAL or run.is_trial):
        ids = united(np.asarray(members.column("client_id"), np.int64), changed)
        row_counts.note_looked_at(cursor, run.sync_id, run.run_id, ids)


def parts_to_count(counts: SourceCounts | None) -> list[str]:
    """Those that read no table of scan.sql, where a deleted row is a client that is gone."""
    if counts is None or counts.unusable:
        return []
    own = set(counts.parts[SCAN])
    return [part for part, oids in counts.parts.items() if not own & set(oids)]


def _changed(snapshot: Snapshot, then: SourceCounts, part: str) -> Int64:
    horizon = min(then.tables[oid].horizon for oid in then.parts[part])
    return snapshot.changed_in_part(part, horizon)


def _are_deleted(then: SourceCounts | None, now: SourceCounts) -> bool:
    """Whether rows may have been, also by a new file; after a reset nobody knows."""
    if then is None or then.reset_at != now.reset_at:
        return True
    return any(then.tables[oid].lost != now.tables[oid].lost for oid in _tables(now))


def _with_deletions(then: SourceCounts, now: SourceCounts) -> set[int]:
    return {oid for oid, table in now.tables.items() if table.deleted != then.tables[oid].deleted}


def _are_looked_up(snapshot: Snapshot, oids: set[int]) -> bool:
    """Whether one of the tables is of what clients show: nothing tells who has shown a row that is
    gone, where no foreign key keeps it. No, of a plan that isn't as simple as usual."""
    counts = snapshot.counts
    if not oids or counts is None:
        return False
    giving = giving_rows(snapshot.plan("changed_xmin"))
    for part, used in counts.parts.items():
        names = {oid: counts.tables[oid].name for oid in used}
        if part != SCAN and giving & set(names.values()):
            looked_up = {oid for oid, name in names.items() if name not in giving}
            if looked_up & oids:
                return True
    return False


def _may_be_gone(then: SourceCounts | None, now: SourceCounts) -> bool:
    """The same, or whether rows may have been given to other clients."""
    if then is None or _are_deleted(then, now):
        return True
    return any(then.tables[oid].updated != now.tables[oid].updated for oid in _tables(now))


def _tables(counts: SourceCounts) -> set[int]:
    return {oid for part in parts_to_count(counts) for oid in counts.parts[part]}

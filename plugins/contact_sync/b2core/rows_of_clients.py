"""Count the rows of phones, addresses and the like that clients have in a snapshot of B2CORE."""

from __future__ import annotations

from collections.abc import Sequence

from contact_sync.b2core.client_ids import column_of
from contact_sync.b2core.reader import Snapshot
from contact_sync.base.arrays import Int64
from contact_sync.base.row_counts import RowCounts
from contact_sync.postgres.literals import literal

_BY_CLIENT = """SELECT client_id::bigint AS client_id, count(*) AS rows
FROM (
{rows}
) AS changed (client_id)
WHERE client_id IS NOT NULL
GROUP BY client_id
ORDER BY client_id"""
_OF_OTHERS = """SELECT count(*) AS rows
FROM (
{{rows}}
) AS changed (client_id)
WHERE client_id IS NOT NULL AND client_id <> ALL({ids}::bigint[])"""


def by_client(snapshot: Snapshot, parts: Sequence[str]) -> RowCounts:
    """How many rows these parts have for each client. Groups all of them: 0.7 s of two million."""
    batches = snapshot.of_parts(parts, _BY_CLIENT)
    return RowCounts(*(column_of(batches, name) for name in ("client_id", "rows")))


def of_others(snapshot: Snapshot, parts: Sequence[str], ids: Int64) -> int:
    """How many rows these parts have for all clients but those: 0.17 s of two million."""
    (batch,) = snapshot.of_parts(parts, _OF_OTHERS.format(ids=literal(ids)))
    return int(batch.column("rows")[0].as_py())

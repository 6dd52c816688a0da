"""How many rows were written into B2CORE's tables since a run read them: by PostgreSQL's counts.

No table is read, so that it takes milliseconds at any size (facts: b2core.counts).
"""

from __future__ import annotations

import asyncio

from contact_sync.b2core.watch import SourceWatch
from contact_sync.base.source_look import LOOK_REASONS, LookWhy, SourceCounts
from contact_sync.reporting.full_run_preview import Written
from contact_sync.sync import Databases


def rows_written(databases: Databases, then: SourceCounts | None) -> tuple[Written | None, str]:
    """The rows since `then`; or None and why they can't be counted. Raises SyncError when B2CORE
    can't be asked."""
    if then is None:
        return None, LOOK_REASONS[LookWhy.NOTHING_KEPT]
    now = asyncio.run(_counts(databases))
    if unusable := now.unusable or then.unusable:
        why, detail = unusable
        return None, LOOK_REASONS.get(why, why).format(detail=detail)
    if now.reset_at != then.reset_at or now.tables.keys() != then.tables.keys():
        return None, LOOK_REASONS[LookWhy.RESET]
    pairs = [(table, then.tables[oid]) for oid, table in now.tables.items()]
    return Written(
        inserted=sum(max(0, b.inserted - a.inserted) for b, a in pairs),
        updated=sum(max(0, b.updated - a.updated) for b, a in pairs),
        deleted=sum(max(0, b.deleted - a.deleted) for b, a in pairs),
        tables=tuple(sorted(b.name for b, a in pairs if b.moved[1:] != a.moved[1:])),
    ), ""


async def _counts(databases: Databases) -> SourceCounts:
    watch = await SourceWatch.open(databases.b2core.dsn, None)
    try:
        await watch.resolve(databases.b2core.folder, databases.definition.source.change_detection)
        return watch.counts
    finally:
        await watch.connection.close()

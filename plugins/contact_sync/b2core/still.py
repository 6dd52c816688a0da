"""Whether B2CORE stands still since a run read it: one statement, for a run with nothing to do.

It asks for the counts of the tables that the run knows by their oids, and for those of the catalogs
that say which tables a statement means, and what it may read (facts: `counts`). Counts may come
late. So a table that was replaced a moment ago, or a view, may be taken for the one before; as with
late rows, the next look sees it, and nothing is read meanwhile, of whatever table.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import Any

from contact_sync.b2core.counts import USABLE
from contact_sync.b2core.position import PARTS
from contact_sync.b2core.session import settings
from contact_sync.base.errors import B2CORE, SyncError
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.source_look import SourceCounts
from contact_sync.postgres.bounded import Bounded, open_bounded
from contact_sync.postgres.idle import Kept, is_alive
from contact_sync.postgres.literals import literal

log = logging.getLogger(__name__)
_POSITION = ", ".join(f"{part.sql} AS {name}" for name, part in PARTS.items())


def standing_still(
    lookers: Kept[Bounded], dsn: str, mark: SourceSnapshot | None, seconds: int
) -> SourceSnapshot | None:
    """Where B2CORE stands, with the tables and counts of `mark`, which are those of now; None =
    something was written, or can't be told, which whoever reads B2CORE is told then."""
    if mark is None or (counts := _usable(mark)) is None:
        return None
    try:
        with lookers.used(partial(open_bounded, dsn, B2CORE), is_alive) as connection:
            (row,) = connection.in_snapshot(B2CORE, settings(seconds), _look(counts))
    except SyncError as error:
        log.info("B2CORE is read, because what was written into it can't be told: %s", error)
        return None
    if not _stands_still(row, counts):
        return None
    here = SourceSnapshot.from_json({name: row[name] for name in PARTS})
    return replace(here, tables=mark.tables, detection=mark.detection, counts=counts)


def _usable(mark: SourceSnapshot) -> SourceCounts | None:
    """What a run kept, if it tells of all tables, and the server refused none of the functions."""
    if mark.counts is None or mark.counts.unusable or not mark.counts.catalogs:
        return None
    return mark.counts if mark.system_identifier and mark.timeline and mark.started else None


def _look(counts: SourceCounts) -> str:
    return f"""SELECT {_POSITION}, {USABLE}, (
        SELECT json_object_agg(c.oid, json_build_array(
            c.relfilenode::bigint, pg_stat_get_tuples_inserted(c.oid),
            pg_stat_get_tuples_updated(c.oid), pg_stat_get_tuples_deleted(c.oid)
        ))
        FROM pg_class AS c
        WHERE c.oid = ANY({literal(list(counts.tables))}::oid[])
    ) AS tables"""  # noqa: S608 ours


def _stands_still(row: dict[str, Any], then: SourceCounts) -> bool:
    tables = {str(oid): list(table.moved) for oid, table in then.tables.items()}
    return (
        row["counted"] and not row["standby"] and row["tables"] == tables
        and (row["reset_at"], row["catalogs"]) == (then.reset_at, then.catalogs)
    )  # fmt: skip

"""Look at B2CORE every few seconds: has anything been written into the tables that count?

A look reads the counts of tables whose oids are known: one row a table, no table itself (facts:
`counts`). Which tables these are, and whether counts can be used at all, is resolved anew
now and then: a view may have been replaced, a partition attached, a standby promoted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from contact_sync.b2core.counts import CHANGED, SCAN, counting, parts_of
from contact_sync.b2core.session import READ_ONLY, settings
from contact_sync.b2core.statements import read_statement
from contact_sync.base.source_look import SourceCounts
from contact_sync.config.source import ChangeDetection
from contact_sync.postgres.literals import literal
from contact_sync.postgres.watching import ANSWER_SECONDS, Watching

WHAT = "B2CORE's database"
_LOOK = """SELECT
    c.oid::pg_catalog.int8 AS oid,
    c.relfilenode::pg_catalog.int8 AS file,
    pg_catalog.pg_stat_get_tuples_inserted(c.oid) AS inserted,
    pg_catalog.pg_stat_get_tuples_updated(c.oid) AS updated,
    pg_catalog.pg_stat_get_tuples_deleted(c.oid) AS deleted
FROM pg_catalog.pg_class AS c
WHERE c.oid OPERATOR(pg_catalog.=) ANY ({oids}::pg_catalog.oid[])
"""


@dataclass(slots=True)
class SourceWatch:
    """One connection to B2CORE that is kept. `counts`: what was seen last; `unusable` in it says
    why nothing can be seen."""

    connection: Watching
    counts: SourceCounts

    @classmethod
    async def open(cls, dsn: str, channel: str | None) -> SourceWatch:
        """Connect, and listen if there is a channel. Raises ConfigError or RetryableError."""
        connection = await Watching.open(dsn, WHAT)
        try:
            if channel is not None:
                await connection.listen(channel)
        except BaseException:
            await connection.close()
            raise
        return cls(connection, SourceCounts())

    async def resolve(self, folder: Path, detection: ChangeDetection) -> None:
        """Find the tables of the statements, and what is counted of them. Raises SyncError."""
        asking = counting(watched_texts(folder, detection))
        query = next(asking)
        while True:
            rows = await self.connection.rows(READ_ONLY, settings(int(ANSWER_SECONDS)), query)
            try:
                query = asking.send(rows)
            except StopIteration as end:
                self.counts = end.value
                return

    async def look(self) -> None:
        """What is counted now of the tables that were found; one that is gone has no counts any
        more. Raises SyncError."""
        if self.counts.unusable:
            return
        rows = await self.connection.rows(_LOOK.format(oids=literal(list(self.counts.tables))))
        known = self.counts.tables
        tables = {oid: replace(known[oid], **row) for row in rows if (oid := row.pop("oid"))}
        self.counts = replace(self.counts, tables=tables)


def watched_texts(folder: Path, detection: ChangeDetection) -> dict[str, str]:
    """The statements by which a run finds changes, by part. Raises ConfigError."""
    if detection is ChangeDetection.XMIN:
        return parts_of(folder)
    names = {SCAN: "scan", f"{CHANGED} 0": f"changed_{detection}"}
    return {part: read_statement(folder, name) for part, name in names.items()}


def moved(then: SourceCounts | None, now: SourceCounts) -> list[str]:
    """The tables into which something was written between two looks, as schema.table, in order;
    tables that only one of them has are among them, so all without a first look. All, too, if the
    counts were reset in between: equal ones are others then."""
    before = then.tables if then and then.reset_at == now.reset_at else {}
    both = before.keys() & now.tables.keys()
    changed = {now.tables[oid].name for oid in both if before[oid].moved != now.tables[oid].moved}
    changed |= {now.tables[oid].name for oid in now.tables.keys() - both}
    changed |= {before[oid].name for oid in before.keys() - both}
    return sorted(changed)

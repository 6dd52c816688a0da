"""Watch B2CORE between two runs: what the triggerer does for a sync with `schedule: changes`.

A watch says only that something has moved; who is affected is the run's matter. It compares with
what the last finished run has read, not with a memory of its own: so nothing is lost when it is
started again, and what a run has read already begins no other one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from time import monotonic

from contact_sync.b2core.watch import SourceWatch, moved
from contact_sync.base.errors import SyncError, told_safely
from contact_sync.base.source_look import SourceCounts
from contact_sync.base.watching import WatchState, learns_by
from contact_sync.state import watches
from contact_sync.state.watches import Sight, Standing
from contact_sync.sync import Databases

log = logging.getLogger(__name__)
LOOK_SECONDS = 2.0
"""A look costs B2CORE a tenth of a millisecond (docs/performance.md)."""
RESOLVE_SECONDS = 60.0
"""So often it is looked up which tables the statements mean."""
OPEN_SECONDS = 600.0
"""So often definition and connections are read again; a warning about one is logged each time."""
NOTE_SECONDS = 30.0
RUN_SECONDS = 60.0
"""So long a run may take to appear; then it is begun again: Airflow drops what it is told while a
DAG is paused."""
MAX_PAUSE = 60.0


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that was begun for these tables, when `newest_run` was the newest one."""

    tables: list[str]
    newest_run: int


@dataclass(slots=True)
class Watch:
    """The watch of one sync. `open_databases` reads its definition and connections, and raises
    ConfigError when they are wrong; it is called in a thread, as all that isn't asyncio."""

    open_databases: Callable[[], Databases]
    _databases: Databases | None = None
    _source: SourceWatch | None = None
    _opened_at: float = 0.0
    _resolved_at: float = 0.0
    _seen: SourceCounts | None = None
    """What began the last run, or what that run has read."""
    _is_notified: bool = False
    _begun: Begun | None = None
    """The run that was begun last and hasn't been seen yet."""
    _begun_at: float = field(default=float("-inf"))
    _noted: Sight | None = None
    _noted_at: float = 0.0

    async def changes(self) -> AsyncIterator[list[str]]:
        """For each run that has to begin, the tables that moved; none if it was notified.

        Goes on for ever, whatever fails: an error is logged, noted for the sync page, and the
        databases are asked again after a pause.
        """
        failures = 0
        while True:
            try:
                tables = await self._look()
                failures = 0
            except Exception as error:  # noqa: BLE001 whatever it is, the next look may work
                failures += 1
                await self._fail(told_safely(error))
                await asyncio.sleep(min(2.0**failures, MAX_PAUSE))
                continue
            if tables is not None:
                yield tables

    async def close(self) -> None:
        """Leave B2CORE."""
        source, self._source = self._source, None
        if source is not None:
            await source.connection.close()

    async def _look(self) -> list[str] | None:
        """Wait, look, and say whether a run has to begin."""
        databases, source = await self._ready()
        if await source.connection.pause(LOOK_SECONDS):
            self._is_notified = True
        await source.look()
        counted = not source.counts.unusable
        moved_ones = moved(self._seen, source.counts) if counted else []
        tables = await self._for_a_run(databases, source, moved_ones)
        sight = _sight(databases, source.counts)
        if tables is not None:
            await self._note(databases, Sight(sight.state, sight.why, sight.detail, tables))
            self._begin(source.counts)
        elif sight != self._noted or monotonic() - self._noted_at > NOTE_SECONDS:
            await self._note(databases, sight)
        return tables

    async def _ready(self) -> tuple[Databases, SourceWatch]:
        """The databases, with tables that were found not long ago."""
        now = monotonic()
        if self._databases and self._source and now - self._resolved_at < RESOLVE_SECONDS:
            return self._databases, self._source
        databases = self._databases
        if databases is None or self._source is None or now - self._opened_at >= OPEN_SECONDS:
            databases = await asyncio.to_thread(self.open_databases)
            if self._databases is None or _address(self._databases) != _address(databases):
                await self.close()
            self._databases, self._opened_at = databases, now
        settings, channel = databases.definition.source, databases.definition.on_changes.notify
        is_new = self._source is None
        if self._source is None:
            self._source = await SourceWatch.open(databases.b2core.dsn, channel)
        await self._source.resolve(databases.b2core.folder, settings.change_detection)
        if is_new and channel and self._source.counts.unusable:
            self._is_notified = True  # what was notified before nobody has heard
        if self._seen is None:
            self._seen = (await self._standing(databases)).counts
        self._resolved_at = now
        return databases, self._source

    async def _for_a_run(
        self, databases: Databases, source: SourceWatch, tables: list[str]
    ) -> list[str] | None:
        """The tables for which a run has to begin now; None = none has to, or not yet."""
        passed = monotonic() - self._begun_at
        wanted = tables or self._is_notified or self._begun
        if not wanted or passed < databases.definition.on_changes.at_most_every_seconds:
            return None
        standing = await self._standing(databases)
        if self._begun and standing.newest_run > self._begun.newest_run:
            self._begun = None
        if tables and not (tables := moved(standing.counts, source.counts)):
            self._seen = source.counts  # the last run has read it
        if standing.newest_run == 0:
            return None  # the clock begins the first one as soon as the DAG is unpaused
        is_coming = self._begun is not None and passed < RUN_SECONDS
        if standing.is_held or is_coming or not (tables or self._is_notified or self._begun):
            return None
        tables = tables or (self._begun.tables if self._begun else [])
        self._begun = Begun(tables, standing.newest_run)
        return tables

    def _begin(self, counts: SourceCounts) -> None:
        self._seen, self._is_notified, self._begun_at = counts, False, monotonic()

    async def _standing(self, databases: Databases) -> Standing:
        def read() -> Standing:
            with databases.state.transaction() as cursor:
                return watches.standing(cursor, databases.definition.name)

        return await asyncio.to_thread(read)

    async def _note(self, databases: Databases, sight: Sight) -> None:
        def write() -> None:
            with databases.state.transaction() as cursor:
                watches.note(cursor, databases.definition.name, sight)

        await asyncio.to_thread(write)
        plain = Sight(sight.state, sight.why, sight.detail)
        if plain != self._noted:
            log.info("Watching B2CORE by %s", learns_by(plain.state, plain.why, plain.detail))
        self._noted, self._noted_at = plain, monotonic()

    async def _fail(self, error: SyncError) -> None:
        """Say it once, and leave the connection."""
        sight = Sight(WatchState.FAILED, detail=str(error))
        if sight != self._noted:
            log.warning("The watch can't look: %s", error)
        await self.close()
        try:
            if self._databases is not None:
                await self._note(self._databases, sight)
        except SyncError as also:
            log.warning("The sync page can't be told: %s", also)
        self._noted = sight


def _address(databases: Databases) -> tuple[str, str | None]:
    return databases.b2core.dsn, databases.definition.on_changes.notify


def _sight(databases: Databases, counts: SourceCounts) -> Sight:
    if counts.unusable is None:
        return Sight(WatchState.COUNTS)
    listens = databases.definition.on_changes.notify is not None
    return Sight(WatchState.NOTIFY if listens else WatchState.NOTHING, *counts.unusable)

"""W01 to W04: the watch of `schedule: changes`, without Airflow."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import psycopg
import pytest

from contact_sync.b2core.reader import B2Core
from contact_sync.b2core.watched_tables import schedule_finding
from contact_sync.base.errors import RetryableError
from contact_sync.base.findings import Judgement
from contact_sync.base.watching import Watched, WatchState
from contact_sync.run import watch_source
from contact_sync.run.watch_source import Watch
from contact_sync.state import watches
from contact_sync.state.database import StateDatabase
from contact_sync.sync import Databases
from local.postgres.server import Cluster
from tests.support.world import World

CLIENTS = "b2core.clients"
QUIET_LOOKS = 8


@pytest.fixture
def watched(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A sync with `schedule: changes` that has run, whose watch looks often."""
    for name, seconds in {
        "LOOK_SECONDS": 0.05, "RESOLVE_SECONDS": 0.3, "OPEN_SECONDS": 0.3, "NOTE_SECONDS": 0.0,
        "RUN_SECONDS": 60.0, "MAX_PAUSE": 0.1,
    }.items():  # fmt: skip
        monkeypatch.setattr(watch_source, name, seconds)
    world.redefine(schedule="changes", on_changes={"at_most_every_seconds": 1})
    world.add_clients(3)
    world.run()
    return world


def rename(world: World, client: int, name: str) -> None:
    """Give a client another name, in a session of its own: an older one may count it later."""
    with psycopg.connect(world.b2core_url) as connection:
        connection.execute("UPDATE b2core.clients SET last_name = %s WHERE id = %s", (name, client))


class Watcher:
    """A watch at work, beside the test's own steps."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.watch = Watch(self.databases)
        self.begun: list[list[str]] = []
        self.awaited = 0

    def databases(self) -> Databases:
        """What the triggerer would open."""
        world = self.world
        source = B2Core(world.reader_url, world.sql_folder, 60)
        return Databases(world.definition, source, StateDatabase(world.state_url))

    def seen(self) -> Watched | None:
        """What it has written down."""
        with StateDatabase(self.world.state_url).transaction() as cursor:
            name = self.world.definition.name
            return watches.watched(cursor, [name]).get(name)

    async def begins(self) -> list[str]:
        """Wait for a run that it begins, after those that were waited for already."""
        await until(lambda: len(self.begun) > self.awaited)
        self.awaited += 1
        return self.begun[self.awaited - 1]

    async def is_quiet(self) -> bool:
        """It has looked some times more, and no run began that wasn't waited for."""
        for _ in range(QUIET_LOOKS):
            before = self.seen()
            await until(lambda before=before: self.seen() != before)  # type: ignore[misc]
        return len(self.begun) == self.awaited

    async def do(self, step: Callable[..., object], *values: Any, **named: Any) -> None:
        """A step of the test that waits for servers."""
        await asyncio.to_thread(step, *values, **named)


async def until(holds: Callable[[], object]) -> None:
    """Wait; fail when it doesn't come."""
    end = time.monotonic() + 30
    while not await asyncio.to_thread(holds):
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def watching(world: World) -> AsyncIterator[Watcher]:
    """A watch that has looked once; it is cancelled at the end, as the triggerer does it."""
    watcher = Watcher(world)

    async def follow() -> None:
        async for tables in watcher.watch.changes():
            watcher.begun.append(tables)

    before = watcher.seen()
    task = asyncio.create_task(follow())
    try:
        await until(lambda: watcher.seen() != before)
        yield watcher
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await watcher.watch.close()


def test_W01_a_change_begins_one_run_and_what_a_run_has_read_begins_none(watched: World) -> None:
    """The watch says what moved; changes while a run is at work make one further run."""

    async def story() -> None:
        async with watching(watched) as watch:
            assert await watch.is_quiet()
            await watch.do(rename, watched, 1, "Meier")
            assert await watch.begins() == [CLIENTS]
            await watch.do(rename, watched, 2, "Keller")
            assert await watch.is_quiet(), "the run that was begun is still to come"
            await watch.do(watched.run)
            assert await watch.is_quiet(), "that run has read both"
            with held(watched):
                await watch.do(rename, watched, 3, "Huber")
                assert await watch.is_quiet(), "a run is at work"
                await watch.do(rename, watched, 3, "Frei")
            assert await watch.begins() == [CLIENTS]
            assert await watch.is_quiet(), "both make one further run"
            found = watch.seen()
            assert found is not None
            assert found.moved_at is not None
            assert (found.state, found.tables) == (WatchState.COUNTS, [CLIENTS])

    asyncio.run(story())
    asyncio.run(until(lambda: of_watches(watched) == 0))


@contextlib.contextmanager
def held(world: World) -> Iterator[None]:
    """A run is at work meanwhile."""
    lease = "UPDATE contact_sync.sync SET lease_until = {} RETURNING now()"
    world.state(lease.format("now() + interval '1 hour'"))
    yield
    world.state(lease.format("now()"))


def of_watches(world: World) -> int:
    """How many connections of watches B2CORE has."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'contact_sync_watch'"
    return int(world.sql(query)[0][0])


def test_W02_nothing_is_lost_while_no_watch_or_no_database_is_there(
    watched: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What changes before the triggerer is back, and while B2CORE can't be reached; a run that
    doesn't appear is begun again."""
    rename(watched, 1, "Meier")

    async def story() -> None:
        async with watching(watched) as watch:
            assert await watch.begins() == [CLIENTS]
            with monkeypatch.context() as patch:
                patch.setattr(watch_source, "RUN_SECONDS", 0.0)
                assert await watch.begins() == [CLIENTS]
            await watch.do(watched.run)
            assert await watch.is_quiet()
            reader, watched.reader_url = watched.reader_url, "postgresql://localhost:1/none"
            await watch.do(watched.sql, END_WATCHES)
            await until(lambda: watch.seen().state is WatchState.FAILED)  # type: ignore[union-attr]
            await watch.do(rename, watched, 2, "Keller")
            watched.reader_url = reader
            assert await watch.begins() == [CLIENTS]

    asyncio.run(story())
    told = [r.getMessage() for r in caplog.records if "The watch can't look" in r.getMessage()]
    assert 1 <= len(told) <= 3, "each cause is said once"
    assert "Meier" not in caplog.text


END_WATCHES = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'contact_sync_watch'"""


def test_W03_where_counts_prove_nothing_the_clock_begins_runs_or_a_notify(
    watched: World, cluster: Cluster
) -> None:
    """The watch says why, for the sync page; a NOTIFY on the definition's channel begins a run."""

    async def story() -> None:
        async with watching(watched) as watch:
            await until(lambda: of_state(watch, WatchState.NOTHING))
            found = watch.seen()
            assert found is not None
            assert found.why == "not_counted"
            await watch.do(rename, watched, 1, "Meier")
            assert await watch.is_quiet()
            watched.redefine(on_changes={"notify": "contacts", "at_most_every_seconds": 1})
            assert await watch.begins() == [], "what was notified before nobody has heard"
            assert of_state(watch, WatchState.NOTIFY)
            await watch.do(watched.run)
            assert await watch.is_quiet()
            await watch.do(watched.sql, "NOTIFY contacts")
            assert await watch.begins() == []

    assert checked(watched) == (Judgement.OK, "changes in 8 tables begin a run")
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute("ALTER ROLE contact_sync_reader SET track_counts = off")
        try:
            judgement, said = checked(watched)
            assert judgement is Judgement.WARNING
            assert (
                "track_counts is off in B2CORE, for all or for a role. Runs begin every 15" in said
            )
            asyncio.run(story())
        finally:
            connection.execute("ALTER ROLE contact_sync_reader RESET track_counts")


def checked(world: World) -> tuple[Judgement, str]:
    """What `validate --connect` says of the schedule."""
    with B2Core(world.reader_url, world.sql_folder, 60).snapshot() as snapshot:
        found = schedule_finding(snapshot, world.definition)
    return found.judgement, found.text


def of_state(watch: Watcher, state: WatchState) -> bool:
    """Whether it has written down that it works so."""
    found = watch.seen()
    return found is not None and found.state is state


def test_W04_a_table_that_is_emptied_or_replaced_begins_a_run(watched: World) -> None:
    """TRUNCATE counts nothing; another table of the name has other counts."""

    async def story() -> None:
        async with watching(watched) as watch:
            await watch.do(watched.sql, "TRUNCATE b2core.client_phones")
            assert await watch.begins() == ["b2core.client_phones"]

    asyncio.run(story())


def test_a_silent_server_is_left(watched: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer is waited for longer than ANSWER_SECONDS."""
    from contact_sync.b2core.watch import SourceWatch
    from contact_sync.postgres import watching as module

    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.2)

    async def story() -> None:
        source = await SourceWatch.open(watched.reader_url, None)
        try:
            with pytest.raises(RetryableError, match="gave no answer within"):
                await source.connection.rows("SELECT pg_sleep(60)")
        finally:
            await source.connection.close()

    asyncio.run(story())

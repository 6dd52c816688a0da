"""N: nothing waits for ever: a server that falls silent, a lock that is held, a slow network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from contact_sync.base.errors import FatalError, RetryableError
from contact_sync.base.vocabulary import RunKind
from contact_sync.postgres import arrow_reader
from contact_sync.run import in_one_process
from contact_sync.run.check_setup import check_setup
from contact_sync.run.context import open_run
from contact_sync.run.in_one_process import run_sync
from contact_sync.run.release_lease import release_lease
from contact_sync.run.select_clients import select_clients
from contact_sync.run.start_run import start_run
from contact_sync.state import database
from contact_sync.state.runs import Options
from tests.support.breaking_proxy import breaking_proxy
from tests.support.steps import STEPS
from tests.support.world import World

pytestmark = pytest.mark.own_connections
SILENT = "gave no answer"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait for an answer is short, and no step is tried again."""
    monkeypatch.setattr(database, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(arrow_reader, "LOGIN_SECONDS", 1.0)
    monkeypatch.setattr("contact_sync.b2core.reader.SILENT_SECONDS", -599.0)  # of 600
    monkeypatch.setattr(in_one_process, "MAX_SUBMITS", 1)
    monkeypatch.setattr(in_one_process, "MAX_READS", 1)


def fall_silent_at_any_moment(world: World, url: str) -> None:
    """Run again and again, while the database of the world's `url` falls silent later and later,
    behind a proxy that lives: each run ends with an error that is tried again."""
    world.seed()
    direct, after, ended = getattr(world, url), 0, False
    while not ended:
        with breaking_proxy(direct, after=after, silences=1) as proxy:
            setattr(world, url, proxy.url)
            try:
                world.run(take_over=True)
            except RetryableError as error:
                assert SILENT in str(error)  # noqa: PT017
        setattr(world, url, direct)
        ended = proxy.broken == 0
        after = after * 3 if after else 300


@pytest.mark.usefixtures("impatient")
def test_N01_the_state_database_falls_silent_at_any_moment(world: World) -> None:
    """From the login to the run's end."""
    fall_silent_at_any_moment(world, "state_url")
    world.run(take_over=True)
    world.assert_converged()


@pytest.mark.usefixtures("impatient")
def test_N01_b2core_falls_silent_at_any_moment(world: World) -> None:
    """From the login to the last rows."""
    fall_silent_at_any_moment(world, "reader_url")
    world.assert_converged()


def test_N02_a_lock_on_the_ledger_is_waited_for_and_no_longer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By statements of either driver."""
    monkeypatch.setitem(database.SETTINGS, "lock_timeout", "1s")
    monkeypatch.setattr(in_one_process, "MAX_READS", 1)
    world.seed()
    world.run()
    world.change()
    with psycopg.connect(world.state_url) as other:
        other.execute("LOCK TABLE contact_sync.ledger IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(RetryableError, match="was locked for longer"):
            world.run()
    world.run()
    world.assert_converged()


def test_N03_a_small_run_opens_few_connections(world: World) -> None:
    """On a network where every round trip takes long; 60 before they were kept."""
    world.seed()
    world.run()
    world.edit(1, first_name="Changed")
    direct_state, direct_source = world.state_url, world.reader_url
    with (
        breaking_proxy(direct_state, delay=0.005) as state,
        breaking_proxy(direct_source, delay=0.005) as source,
    ):
        world.state_url, world.reader_url = state.url, source.url
        report = world.run()
    world.state_url, world.reader_url = direct_state, direct_source
    assert report["counts"]["sent"] == 1
    assert state.opened + source.opened <= 6
    assert threading.active_count() < 20


SMALL: dict[str, Callable[[World], object]] = {
    "nothing": lambda _: None,
    "an e-mail change": lambda world: world.edit(1, email="moved@example.com"),
    "an exclusion": lambda world: world.edit(1, last_name="opted out"),
    "a removal": lambda world: world.sql("DELETE FROM b2core.clients WHERE id = 5"),
}


@contextmanager
def counted(world: World) -> Iterator[list[int]]:
    """How many connections both databases see meanwhile; filled in at the end."""
    state_url, reader_url, opened = world.state_url, world.reader_url, list[int]()
    with breaking_proxy(state_url) as state, breaking_proxy(reader_url) as source:
        world.state_url, world.reader_url = state.url, source.url
        try:
            yield opened
        finally:
            world.state_url, world.reader_url = state_url, reader_url
            opened.append(state.opened + source.opened)


@pytest.mark.parametrize("lane", ["json", "csv"])
@pytest.mark.parametrize("what", list(SMALL))
def test_N03_every_kind_of_small_run_opens_few_connections(
    consenting: World, what: str, lane: str
) -> None:
    """The second run after a client has gone removes its contact."""
    consenting.redefine(lane=lane)
    consenting.seed()
    consenting.run()
    SMALL[what](consenting)
    for _ in range(2):
        with counted(consenting) as opened, consenting.sync() as sync:
            run_sync(sync, RunKind.INCREMENTAL, holder="test")
        assert opened[0] <= 6
    assert consenting.report()["counts"]["unlisted"] == (what == "a removal")


def test_N03_a_task_in_a_process_of_its_own_opens_few_connections(world: World) -> None:
    """As in Airflow: each task has handles of its own, which it closes."""
    world.seed()
    world.run()
    world.edit(1, first_name="Changed")
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="tasks")
    for name, step in STEPS.items():
        with counted(world) as opened, world.sync() as sync:
            step(sync, open_run(sync, run_id))
        assert opened[0] <= 4, name


def test_N04_a_run_that_is_too_old_ends_red_and_frees_its_lease(world: World) -> None:
    """At its next step; a person who is asked has the time for that on top."""
    world.redefine(deadlines={"run_hours": 0.5}, limits={"approval_hours": 2})
    world.seed()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="slow")
        check_setup(sync, open_run(sync, run_id))
        world.state("UPDATE contact_sync.run SET started_at = now() - interval '1 hour'")
        with pytest.raises(FatalError, match=r"longer than its definition allows.*run_hours"):
            open_run(sync, run_id)
        world.state("""UPDATE contact_sync.run SET approval = '{"why":
            [{"limit": "changes", "n": 2, "allowed": 1}], "decision": "approved", "by": "ann"}'""")
        assert open_run(sync, run_id).run_id == run_id
        world.state("UPDATE contact_sync.run SET started_at = now() - interval '3 hours'")
        with pytest.raises(FatalError, match="run_hours"):
            open_run(sync, run_id)
        release_lease(sync, run_id, "too old")
    assert world.run()["state"] == "succeeded"


def test_N07_what_killed_runs_leave_is_cleaned_by_the_next(world: World) -> None:
    """Slices of a run that was killed, and a dry run that would "run" for ever; one that is at
    work goes on."""
    world.seed()
    with world.sync() as sync:
        for holder, dry in (("killed", False), ("killed dry run", True), ("at work", True)):
            run_id = start_run(sync, RunKind.FULL, holder=holder, options=Options(dry_run=dry))
            check_setup(sync, open_run(sync, run_id))
            select_clients(sync, open_run(sync, run_id))
    world.state("""UPDATE contact_sync.run SET started_at = now() - interval '25 hours'
                   WHERE holder = 'killed dry run'""")
    world.run(take_over=True)
    assert world.state("SELECT holder, state FROM contact_sync.run ORDER BY run_id") == [
        ("killed", "superseded"), ("killed dry run", "failed"), ("at work", "running"),
        ("test", "succeeded"),
    ]  # fmt: skip
    assert "run_hours" in world.report(2)["cause"]
    held = world.state("SELECT holder FROM contact_sync.slice JOIN contact_sync.run USING (run_id)")
    assert held == [("at work",)]

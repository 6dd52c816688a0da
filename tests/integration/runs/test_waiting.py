"""N: nothing waits for ever: a server that falls silent, a lock that is held, a slow network."""

from __future__ import annotations

import threading

import psycopg
import pytest

from contact_sync.base.errors import RetryableError
from contact_sync.postgres import arrow_reader
from contact_sync.run import in_one_process
from contact_sync.state import database
from tests.support.breaking_proxy import breaking_proxy
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


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("lane", ["json", "csv"])
def test_N01_the_state_database_falls_silent_at_any_moment(world: World, lane: str) -> None:
    """Behind a proxy that lives. The run ends with an error that is tried again."""
    world.redefine(lane=lane)
    world.seed()
    direct, after, ended = world.state_url, 0, False
    while not ended:
        with breaking_proxy(direct, after=after, silences=1) as proxy:
            world.state_url = proxy.url
            try:
                world.run(take_over=True)
            except RetryableError as error:
                assert SILENT in str(error)  # noqa: PT017
        world.state_url = direct
        ended = proxy.broken == 0
        after = after * 2 if after else 50
    world.run(take_over=True)
    world.assert_converged()


@pytest.mark.usefixtures("impatient")
def test_N01_b2core_falls_silent_at_any_moment(world: World) -> None:
    """From the login to the last rows."""
    world.seed()
    direct, after, ended = world.reader_url, 0, False
    while not ended:
        with breaking_proxy(direct, after=after, silences=1) as proxy:
            world.reader_url = proxy.url
            try:
                world.run(take_over=True)
            except RetryableError as error:
                assert SILENT in str(error)  # noqa: PT017
        world.reader_url = direct
        ended = proxy.broken == 0
        after = after * 2 if after else 50
    world.assert_converged()


def test_N02_a_lock_on_the_ledger_is_waited_for_and_no_longer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By statements of either driver."""
    settings = database.SETTINGS.replace("lock_timeout=60s", "lock_timeout=1s")
    monkeypatch.setattr(database, "SETTINGS", settings)
    monkeypatch.setattr(in_one_process, "MAX_READS", 1)
    world.seed()
    world.run()
    world.change()
    with psycopg.connect(world.state_url) as other:
        other.execute("LOCK TABLE contact_sync.ledger IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(RetryableError, match="55P03"):
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
        breaking_proxy(direct_state, delay=0.05) as state,
        breaking_proxy(direct_source, delay=0.05) as source,
    ):
        world.state_url, world.reader_url = state.url, source.url
        report = world.run()
    world.state_url, world.reader_url = direct_state, direct_source
    assert report["counts"]["sent"] == 1
    assert state.opened + source.opened <= 6
    assert threading.active_count() < 20

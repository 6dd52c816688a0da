"""A new hash key while others are at work on the same state database, or seem to be."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from contact_sync.base import failpoints
from contact_sync.base.errors import FatalError
from contact_sync.base.vocabulary import RunKind
from contact_sync.contacts.hash_keys import Hashing, HashKey, HashKeys
from contact_sync.run.apply_hash_keys import apply_hash_keys
from contact_sync.run.context import open_run
from contact_sync.run.erasing import IN_USE
from contact_sync.run.start_run import start_run
from contact_sync.state import leases, runs
from contact_sync.state.runs import Options
from contact_sync.verify.begin_verification import begin_verification
from tests.integration.erasures.test_hash_keys import BUSY, LET_GO, begin
from tests.support.connections import kept_connections
from tests.support.erased import ask, go_on, states, traces
from tests.support.forks import FORKS
from tests.support.hash_keys import HASH_KEYS
from tests.support.steps import go_on as take_steps
from tests.support.world import World, define

ANN, BOB = "ann@example.com", "bob@example.com"
KEY, OTHER = HASH_KEYS.current, HashKey("canary-hash-key-of-somebody-else-0123")
BOTH = HashKeys(OTHER, (KEY,))
OLD_VERIFICATION = (
    "UPDATE contact_sync.verification SET started_at = now() - interval '25 hours' "
    "WHERE state = 'running'"
)
WAITING = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


@pytest.fixture
def keyless(world: World) -> World:
    """Two clients, whose hashes have no key."""
    world.hash_keys = None
    world.add(ANN)
    world.add(BOB)
    world.run()
    return world


def hashing(world: World) -> Hashing:
    """How the state database's hashes are made."""
    with world.sync() as sync:
        return sync.hashing()


@contextmanager
def applying(world: World) -> Iterator[None]:
    """Meanwhile a run is beginning that has applied the key, and hasn't committed."""
    with world.sync() as sync, sync.state.transaction() as cursor:
        known = runs.ensure_sync(cursor, world.definition.name)
        leases.acquire_lease(cursor, known.sync_id, "test", take_over=False)
        apply_hash_keys(cursor, known.sync_id, world.hash_keys)
        yield


@pytest.mark.parametrize("is_new", [True, False])
def test_E17_a_sync_that_begins_while_a_key_is_applied_waits_and_has_it(
    keyless: World, is_new: bool
) -> None:
    """Also one that isn't there yet, which nobody could fence off: else it would write hashes of
    before beside the new ones."""
    other = replace(keyless, definition=define(name="other"))
    if not is_new:
        other.run()
    keyless.hash_keys = other.hash_keys = HASH_KEYS
    began = list[Hashing]()

    def begin_other() -> None:
        with other.sync() as sync:
            start_run(sync, RunKind.INCREMENTAL, holder="other")
            began.append(sync.hashing())

    thread = threading.Thread(target=begin_other)
    with applying(keyless):
        thread.start()
        while thread.is_alive() and keyless.state(WAITING) == [(0,)]:
            time.sleep(0.01)
        assert began == []
    thread.join()
    assert began == [Hashing((KEY,))]
    assert keyless.run("full")["counts"]["unchanged"] == 2


def test_E17_a_dry_run_under_way_ends_when_the_hashes_get_a_key(keyless: World) -> None:
    """It would tell that everybody has changed, and not know who was erased."""
    with keyless.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="dry", options=Options(dry_run=True))
        take_steps(sync, run_id, before="stage")
        keyless.hash_keys = HASH_KEYS
        begin(keyless)
        with pytest.raises(FatalError, match="is over"):
            open_run(sync, run_id)
    assert "got another key" in keyless.report(run_id)["cause"]
    assert keyless.run("full", dry_run=True)["counts"]["unchanged"] == 2


def test_E17_a_verification_that_was_killed_keeps_no_key_away(keyless: World) -> None:
    """Nobody may ever continue it: its sync may be disabled."""
    other = replace(keyless, definition=define(name="other"))
    with other.sync() as sync:
        begin_verification(sync, holder="killed")
    keyless.hash_keys = HASH_KEYS
    begin(keyless)
    assert hashing(keyless) == Hashing()
    keyless.state(OLD_VERIFICATION)
    keyless.state("UPDATE contact_sync.sync SET lease_until = now() - interval '1 hour'")
    begin(keyless)
    assert hashing(keyless) == Hashing((KEY,))
    assert keyless.state("SELECT state FROM contact_sync.verification") == [("failed",)]


def test_E07_a_verification_that_was_killed_keeps_no_erasure_waiting(world: World) -> None:
    """The run that finds it too old ends it; the next one goes on with the erasure."""
    world.add(ANN)
    world.run()
    with world.sync() as sync:
        begin_verification(sync, holder="killed")
    erasure_id = ask(world, email=ANN)
    assert go_on(world) == [IN_USE]
    world.state(OLD_VERIFICATION)
    world.run()
    assert states(world) == {erasure_id: "finished"}
    assert traces(world, ANN) == []


def test_E17_erasures_between_two_new_keys_keep_no_key_away(keyless: World) -> None:
    """Hashes had no key yet when the second one came: others were at work all the time."""
    keyless.state(BUSY)
    for keys, email in ((HASH_KEYS, ANN), (BOTH, BOB)):
        keyless.hash_keys = keys
        ask(keyless, email=email)
        assert go_on(keyless) == [None]
    keyless.state(LET_GO)
    keyless.run("resend")
    assert hashing(keyless) == Hashing((KEY, OTHER))
    assert keyless.contacts() == {}


def test_E17_killed_while_a_key_is_applied_nothing_has_happened(keyless: World) -> None:
    """It is one transaction: the next run begins anew."""
    keyless.hash_keys = HASH_KEYS
    child = FORKS.Process(target=_begin, args=(keyless.portable(), "lease_taken_uncommitted"))
    child.start()
    child.join(60)
    assert child.exitcode == -9
    assert hashing(keyless) == Hashing()
    calls = len(keyless.writes())
    assert keyless.run("full")["counts"]["unchanged"] == 2
    assert (hashing(keyless), len(keyless.writes())) == (Hashing((KEY,)), calls)


def _begin(world: World, point: str) -> None:
    os.environ[failpoints.VARIABLE] = point
    with kept_connections():
        begin(world)

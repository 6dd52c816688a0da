"""Erasures that a restored state database has lost come back from a file, and touch nobody else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from contact_sync.base.errors import ConfigError
from contact_sync.cli import main as cli
from contact_sync.erasure.transfer import put_back
from contact_sync.state.suppressed import address_hashes
from tests.integration.erasures.test_evidence import LEDGER, export, lose_erasures
from tests.support.erased import erase, go_on, outlast_the_search, states, traces
from tests.support.hash_keys import HASHING
from tests.support.world import World

ANN, BOB, OLD = "ann@example.com", "bob@example.com", "old@example.com"
SUPPRESSION = """INSERT INTO contact_sync.suppression
    (sync_id, email, email_hash, kind, group_id, first_seen, seen_at)
    SELECT sync_id, %s, %s, 'unsubscribe', 0, now(), now() FROM contact_sync.sync"""
LOST = "SELECT erasures_lost FROM contact_sync.sync"


def import_file(world: World, file: str) -> None:
    """Put the erasures of a file back, and go on with what is open."""
    with world.sync() as sync:
        put_back(sync, file)
    outlast_the_search(world)
    assert go_on(world) == [None]


def test_E11_an_address_that_was_the_persons_in_the_backup_and_is_anothers_stays(
    world: World,
) -> None:
    """As an erasure itself would leave it."""
    ann, bob = world.add(OLD), world.add(BOB)
    world.run()
    ((backup,),) = world.state(LEDGER)
    world.edit(ann, email=ANN)
    world.run()
    world.edit(bob, email=OLD)
    world.run()
    before = world.contacts()[OLD]
    outlast_the_search(world)
    erase(world, client=str(ann))
    file = export(world)
    world.state("DELETE FROM contact_sync.ledger")
    lose_erasures(world, backup)
    import_file(world, file)
    assert world.contacts() == {OLD: before}
    assert world.emulator.admin.erased() == [ANN]


def test_E11_what_no_client_stands_for_is_deleted_again_too(world: World) -> None:
    """A suppression of the address, which the backup has."""
    world.add(ANN)
    world.run()
    erasure_id = erase(world, email=ANN)
    file = export(world)
    lose_erasures(world, "[]")
    for email in (ANN, BOB):
        world.state(SUPPRESSION, email, address_hashes([email], HASHING)[0])
    import_file(world, file)
    assert traces(world, ANN, BOB) == [f"suppression: {BOB}"]
    assert states(world) == {erasure_id: "finished"}


Change = Callable[[dict[str, Any]], Any]
CHANGES: dict[str, Change] = {
    "without its tombstones": lambda data: data["erasures"][0]["tombstones"].clear(),
    "lifted": lambda data: data["erasures"][0].update(lifted_at="2026-01-01T00:00:00+00:00"),
    "without the last step": lambda data: data["erasures"][0]["steps"].pop(),
    "without an erasure": lambda data: data["erasures"].clear(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_E11_a_file_from_which_something_was_taken_is_refused(world: World, change: str) -> None:
    """It is sealed as a whole: anything else may bring somebody back."""
    erase(world, email=ANN)
    data = json.loads(export(world))
    CHANGES[change](data)
    lose_erasures(world, "[]")
    with world.sync() as sync, pytest.raises(ConfigError, match="file was changed"):
        put_back(sync, json.dumps(data))
    assert states(world) == {}


def test_E11_what_was_called_lost_and_is_found_hides_no_later_loss(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a number that can be one is taken; erasures of a file aren't lost any more."""
    erase(world, email=ANN)
    file = export(world)
    lose_erasures(world, "[]")
    world.connect_airflow(monkeypatch)
    codes = [cli.main(["erasures", "demo", "--accept-loss", n]) for n in ("-1", "0", "2")]
    assert (codes, world.state(LOST)) == ([1, 1, 0], [(2,)])
    with world.sync() as sync:
        put_back(sync, file)
    assert world.state(LOST) == [(1,)]

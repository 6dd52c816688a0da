"""A person is erased at SendGrid and here, stays so, and nobody else is touched."""

from __future__ import annotations

import time

import pytest

from contact_sync.base.errors import ConfigError
from contact_sync.state.suppressed import address_hashes
from tests.support.erased import ask, erase, go_on, outlast_the_search, states, steps, traces
from tests.support.hash_keys import HASHING
from tests.support.world import World

ANN, BOB, OLD = "ann@example.com", "bob@example.com", "old@example.com"
ANN_ID = 987_654_321
"""An id that no other number in the state database resembles."""


@pytest.fixture
def former(world: World) -> World:
    """Ann, who had another address before, and Bob are in SendGrid; nobody else is."""
    world.redefine(on_address_change="unlist")
    world.add(OLD, id=ANN_ID)
    world.add(BOB)
    world.run()
    world.edit(ANN_ID, email=ANN)
    world.run()
    assert set(world.contacts()) == {ANN, BOB, OLD}
    return world


def test_E01_who_is_erased_is_nowhere_and_nobody_else_is_touched(former: World) -> None:
    """By the client's id: contact, event data, every row of the state database."""
    before = former.contact(BOB)
    erasure_id = ask(former, client=str(ANN_ID), also=[OLD])
    assert go_on(former) == [None]
    assert former.contacts().keys() == {BOB}
    assert former.contact(BOB) == before
    assert former.emulator.admin.erased() == sorted([ANN, OLD])
    hashes = list(map(str, address_hashes([ANN, OLD], HASHING)))
    kept = [f"tombstone: {keyed}" for keyed in hashes]
    assert traces(former, ANN, OLD, str(ANN_ID), *hashes) == kept
    assert states(former) == {erasure_id: "finished"}
    assert steps(former, erasure_id) == [
        "requested", "purged", "contacts_deleted", "events_erased", "not_found", "finished",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["incremental", "full", "resend"])
def test_E02_nobody_who_was_erased_comes_back_by_a_run(former: World, kind: str) -> None:
    """Whatever becomes of the row in B2CORE: another case of the address, another address, another
    client with the address."""
    erase(former, email=ANN, also=[OLD])
    former.edit(ANN_ID, email=ANN.upper(), first_name="Anna")
    former.add(f"  {ANN}")
    former.run(kind)
    former.edit(ANN_ID, email="quite.another@example.com")
    report = former.run(kind)
    assert former.contacts().keys() == {BOB}
    assert report["books"]["selected"] == 1
    assert traces(former, "quite.another", str(ANN_ID)) == []


def test_E03_a_former_address_that_is_another_clients_by_now_is_left_alone(world: World) -> None:
    """Bob has got Ann's former address since the last run: the contact there becomes his."""
    world.add(OLD, id=ANN_ID, last_name="Hers")
    bob = world.add(BOB, last_name=None)
    world.run()
    there = world.contacts()[OLD]["id"]
    world.sql(
        "UPDATE b2core.clients SET email = CASE id WHEN %s THEN %s ELSE %s END", ANN_ID, ANN, OLD
    )
    ask(world, client=str(ANN_ID))
    outlast_the_search(world)
    assert go_on(world) == [None]
    world.edit(bob, first_name="Robert")
    world.run()
    assert world.contacts().keys() == {OLD}
    assert world.contacts()[OLD]["id"] == there
    assert "last_name" not in world.contact(OLD)
    assert world.contact(OLD)["first_name"] == "Robert"


def test_E04_a_client_who_shares_the_address_is_named_before_anything_happens(
    world: World,
) -> None:
    """One contact is all that both have; by its address both are meant."""
    world.add(ANN, id=ANN_ID)
    other = world.add(ANN)
    world.run()
    with pytest.raises(ConfigError, match=f"client {other} has the same address"):
        ask(world, client=str(ANN_ID))
    erase(world, email=ANN)
    world.run("full")
    assert world.contacts() == {}
    assert traces(world, ANN, str(ANN_ID)) == []


def test_E03_an_address_that_is_said_to_have_been_theirs_and_is_anothers_is_left_alone(
    world: World,
) -> None:
    """Whoever names it may be wrong, or not know that somebody else has it by now."""
    world.add(ANN, id=ANN_ID)
    world.add(BOB)
    world.run()
    before = world.contacts()[BOB]
    erase(world, client=str(ANN_ID), also=[BOB])
    world.run("full")
    assert world.contacts() == {BOB: before}


def test_E02_a_trial_of_who_was_erased_leaves_no_trace(world: World) -> None:
    """Neither of the run, nor in the error that names the others."""
    world.add(ANN, id=ANN_ID)
    bob = world.add(BOB)
    world.run()
    erase(world, client=str(ANN_ID))
    with pytest.raises(ConfigError, match="1 of 2 chosen clients was erased") as error:
        world.run(only=(ANN_ID, bob))
    assert str(ANN_ID) not in str(error.value)
    assert traces(world, str(ANN_ID)) == []


def test_E05_a_person_whom_nobody_knows_yet_never_comes(world: World) -> None:
    """A tombstone for an address that is nowhere."""
    erase(world, email=ANN)
    world.add(ANN)
    world.add(BOB)
    world.run()
    assert world.contacts().keys() == {BOB}


def test_E06_who_was_sent_a_moment_ago_is_looked_for_again(world: World) -> None:
    """SendGrid's search doesn't show the contact yet, so that nothing found proves nothing: the
    next run deletes it."""
    world.add(ANN)
    world.emulator.admin.settings(search_lag=3600)
    world.run()
    erasure_id = ask(world, email=ANN)
    (why,) = go_on(world)
    assert "1 of 1 addresses were not found, which is no proof" in str(why)
    world.emulator.admin.settings(search_lag=0)
    report = world.run()
    assert world.contacts() == {}
    assert states(world) == {erasure_id: "finished"}
    assert report["degraded"] == []
    assert traces(world, ANN) == []


def test_E06_what_was_never_shown_counts_as_gone_after_the_searchs_lag(world: World) -> None:
    """Long after it was former, a contact that isn't found isn't there."""
    world.add(ANN)
    world.run()
    ident = world.contacts()[ANN]["id"]
    world.delete_at_sendgrid(f"contacts?ids={ident}")
    while world.contacts():  # SendGrid's job for that
        time.sleep(0.01)
    erasure_id = ask(world, email=ANN)
    assert go_on(world) != [None]
    outlast_the_search(world)
    assert go_on(world) == [None]
    assert states(world) == {erasure_id: "finished"}

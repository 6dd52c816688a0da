"""A person whom several syncs of a state database know, each as it has seen them last."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.erased import ask, erase, go_on, outlast_the_search, traces
from tests.support.world import World, define

ANN, BOB, OLD = "ann@example.com", "bob@example.com", "old@example.com"
ANN_ID = 987_654_321


def another(world: World) -> World:
    """Another sync of the same databases."""
    return replace(world, definition=define(name="other"))


@pytest.mark.parametrize("by", ["client", "email"])
@pytest.mark.parametrize("seen", [True, False])
def test_E10_an_address_change_that_not_every_sync_has_seen_splits_nobody(
    world: World, by: str, seen: bool
) -> None:
    """The same id with an address in common is the same person, not another holder of it; an
    address of before leads to the one that B2CORE has now."""
    other = another(world)
    world.add(OLD, id=ANN_ID)
    world.add(BOB)
    world.run()
    other.run()
    world.edit(ANN_ID, email=ANN)
    if seen:
        other.run()
    ask(world, **({"client": str(ANN_ID)} if by == "client" else {"email": OLD}))
    outlast_the_search(world)
    assert (go_on(world), go_on(other)) == ([None], [None])
    world.run()
    other.run()
    assert world.contacts().keys() == {BOB}
    assert traces(world, ANN, OLD, str(ANN_ID)) == []


def test_E10_another_person_with_the_same_id_in_another_sync_is_left_alone(
    world: World,
) -> None:
    """An id alone says nothing about who it is there: B2CORE may be another one."""
    other = another(world)
    world.add(BOB, id=ANN_ID)
    other.run()
    world.edit(ANN_ID, email=ANN)
    world.run("full")
    outlast_the_search(world)
    erase(world, client=str(ANN_ID))
    world.edit(ANN_ID, email=BOB)
    other.run()
    assert world.contacts().keys() == {BOB}


def test_E10_a_sync_that_begins_later_knows_the_client_when_the_address_changes(
    world: World,
) -> None:
    """Its first run sees the erased address, and keeps in mind whose it was."""
    other = another(world)
    world.add(ANN, id=ANN_ID)
    world.add(BOB)
    world.run()
    erase(world, client=str(ANN_ID))
    other.run()
    world.edit(ANN_ID, email="new@example.com")
    other.run()
    assert world.contacts().keys() == {BOB}
    assert traces(world, "new@example.com", str(ANN_ID)) == []

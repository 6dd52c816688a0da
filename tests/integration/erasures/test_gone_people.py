"""People who have left B2CORE before they ask, and syncs that don't run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.erased import erase, go_on, outlast_the_search, states, traces
from tests.support.world import World, define

ANN, BOB = "ann@example.com", "bob@example.com"
ANN_ID = 987_654_321


@pytest.mark.parametrize("policy", ["delete", "unlist"])
def test_E01_who_has_left_b2core_before_is_nowhere_either(world: World, policy: str) -> None:
    """The contact went long ago, and only the id tells of the person; or it stayed off the list."""
    world.redefine(on_client_deleted=policy, changes={"values": "encrypted"})
    world.add(ANN, id=ANN_ID, first_name="Ann")
    world.add(BOB)
    world.run()
    world.edit(ANN_ID, first_name="Anna")
    world.run()
    world.sql("DELETE FROM b2core.clients WHERE id = %s", ANN_ID)
    for _ in range(3):
        world.run()
    outlast_the_search(world)
    left = ["batch: 987654321", "change: 987654321"]
    assert set(left) <= set(traces(world, str(ANN_ID)))
    by = {"client": str(ANN_ID), "also": [ANN]} if policy == "delete" else {"email": ANN}
    erase(world, **by)
    assert traces(world, ANN, str(ANN_ID)) == []
    assert world.contacts().keys() == {BOB}


def test_E01_an_id_that_is_somebody_elses_by_now_is_left_alone(world: World) -> None:
    """The person left, and stayed in the account; no run has seen yet who has the id now."""
    world.redefine(on_client_deleted="unlist")
    world.add(ANN, id=ANN_ID)
    world.add(BOB)
    world.run()
    world.sql("DELETE FROM b2core.clients WHERE id = %s", ANN_ID)
    for _ in range(3):
        world.run()
    world.add("new@example.com", id=ANN_ID)
    outlast_the_search(world)
    erase(world, email=ANN)
    world.run()
    assert world.contacts().keys() == {BOB, "new@example.com"}


def test_E08_an_erasure_that_waits_for_a_disabled_sync_is_told_where_it_was_asked_for(
    world: World,
) -> None:
    """The other sync has no run that could say so."""
    other = replace(world, definition=define(name="other"))
    world.add(ANN)
    world.run()
    other.run()
    outlast_the_search(world)
    erasure_id = erase(world, email=ANN)
    assert states(world) == {erasure_id: "open"}
    world.redefine(deadlines={"erasure_hours": 0.000001, "quarantine_minutes": 0})
    assert world.run()["degraded"] == ["1 erasure is older than its deadline"]
    assert go_on(other) == [None]
    assert world.run()["degraded"] == []

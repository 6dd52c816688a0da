"""A whole life of a sync on real parts: first load, nothing to do, changes."""

from __future__ import annotations

import pytest

from local.b2core_demo import apply_demo_changes, generate
from tests.support.world import World


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_first_load_no_change_and_changes(world: World, lane: str) -> None:
    """G2: after every run each contact equals the mapping of its client's rows."""
    generate(world.b2core_url, clients=2_000, seed=3, replace=True)
    world.redefine(lane=lane)

    first = world.run()
    assert first["kind"] == "full"
    assert first["counts"]["read"] == 2_000
    books = first["books"]
    assert books["selected"] == 2_000
    assert sum(books[s] for s in ("confirmed", "pending", "rejected", "excluded")) == 2_000
    world.assert_converged()

    writes = len(world.writes())
    second = world.run()
    assert second["kind"] == "incremental"
    assert second["counts"]["sent"] == 0
    assert len(world.writes()) == writes

    apply_demo_changes(world.b2core_url)
    third = world.run()
    assert 0 < third["counts"]["sent"] < 1_000
    world.assert_converged()

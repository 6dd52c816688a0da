"""G6: a rebuild and a repair that are killed leave nothing half done."""

from __future__ import annotations

import os
import signal

import pytest

from contact_sync.base import failpoints
from tests.support.connections import kept_connections
from tests.support.forks import FORKS
from tests.support.repairing import POINTS, damaged, rebuilt_and_repaired
from tests.support.world import World

WRITTEN = """SELECT array_agg(l ORDER BY client_id)::text, (SELECT array_agg(f)::text FROM
             contact_sync.finding AS f), (SELECT max(unproven) FROM contact_sync.sync)
             FROM contact_sync.ledger AS l"""


def _killed(world: World, point: str) -> None:
    os.environ[failpoints.VARIABLE] = point
    with kept_connections():
        rebuilt_and_repaired(world)


@pytest.mark.parametrize("point", sorted(POINTS))
def test_V11_killed_anywhere_it_is_done_again(world: World, point: str) -> None:
    """What was begun isn't there; a repetition and a run put everything right."""
    damaged(world)
    before = world.state(WRITTEN)
    child = FORKS.Process(target=_killed, args=(world.portable(), point))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    if point == "doubt_uncommitted":
        assert world.state(WRITTEN) == before
    rebuilt_and_repaired(world)
    assert world.run()["kind"] == "incremental"
    world.assert_converged()
    assert world.run()["counts"]["sent"] == 0

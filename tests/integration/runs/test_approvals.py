"""G5: a plan above the definition's limits waits for a person, whose answer is about that plan."""

from __future__ import annotations

from typing import Any

import pytest

from contact_sync.base.errors import FatalError
from contact_sync.base.vocabulary import Answer, RunKind
from contact_sync.run.approve_plan import decide
from contact_sync.run.context import open_run
from contact_sync.run.start_run import start_run
from tests.support.steps import STEPS, go_on
from tests.support.world import World


def test_G5_too_many_changes_wait_for_a_person(world: World) -> None:
    """Above the limit nothing is sent; new clients don't count; the watermark stays."""
    few: dict[str, Any] = {"changes": {"contacts": 2, "share": 0.0}}
    world.redefine(limits=few)
    for n in range(4):
        world.add(f"client{n}@example.com")
    assert world.run()["counts"]["sent"] == 4
    world.sql("UPDATE b2core.clients SET first_name = 'All of them'")
    mark = world.state("SELECT watermark FROM contact_sync.sync")
    calls = world.writes()
    with pytest.raises(FatalError, match="4 contacts would be changed, the limit is 2"):
        world.run()
    assert (world.writes(), world.state("SELECT watermark FROM contact_sync.sync")) == (calls, mark)
    assert world.run(approve=True)["approval"]["decision"] == "approved"
    world.assert_converged()


@pytest.mark.parametrize(("again", "after"), [("select", "check"), ("stage", "select")])
def test_G5_an_approval_is_for_one_plan(world: World, again: str, after: str) -> None:
    """Clients that are chosen or read again make another plan: a person is asked again."""
    world.redefine(limits={"changes": {"contacts": 1, "share": 0.0}})
    for n in range(4):
        world.add(f"client{n}@example.com")
    world.run()
    world.sql("UPDATE b2core.clients SET first_name = 'Two' WHERE id <= 2")
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="first")
        go_on(sync, run_id, before="exclude")
        decide(sync, open_run(sync, run_id), Answer.APPROVED, "a person")
        world.sql("UPDATE b2core.clients SET first_name = 'All of them'")
        go_on(sync, run_id, after=after, before="exclude")
        for step in ("exclude", "submit"):
            with pytest.raises(FatalError, match=r"4 contacts would be changed.* nobody has"):
                STEPS[step](sync, open_run(sync, run_id))
        decide(sync, open_run(sync, run_id), Answer.APPROVED, "a person")
        go_on(sync, run_id, after="plan", before="finish")
        STEPS["finish"](sync, open_run(sync, run_id))
    world.assert_converged()

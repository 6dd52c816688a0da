"""First loads whose contacts are staged in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from contact_sync.base.vocabulary import RunKind
from contact_sync.run import in_one_process
from contact_sync.run.plan_batches import plan_batches
from contact_sync.run.start_run import start_run
from contact_sync.sync import Sync
from tests.support.steps import go_on, staged
from tests.support.world import World

EMAILS = [f"client{n}@example.com" for n in (1, 2, 3, 5)]
"""Whom `World.seed` has sent."""


def by_csv(world: World) -> None:
    """Six clients, four contacts, nobody at SendGrid; the CSV lane."""
    world.redefine(lane="csv")
    world.seed()


def planned(world: World, sync: Sync) -> int:
    """A first load that has a plan."""
    run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
    go_on(sync, run_id, before="exclude")
    assert staged(world) == (4, 0)
    return run_id


@contextmanager
def after_the_plan(happens: Callable[[], Any]) -> Iterator[None]:
    """Something happens in each run that has a plan and hasn't sent anything."""

    def meanwhile(*args: Any) -> list[int]:
        planned = plan_batches(*args)
        happens()
        return planned

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_one_process, "plan_batches", meanwhile)
        yield

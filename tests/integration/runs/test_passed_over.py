"""A person marks `settle_earlier_runs` as a success in Airflow, although it hasn't done its work:
what earlier runs have left is neither overtaken nor left for good."""

from __future__ import annotations

import pytest

from contact_sync.base.errors import FatalError
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.context import open_run
from contact_sync.run.release_lease import release_lease
from contact_sync.run.start_run import start_run
from contact_sync.sync import Sync
from tests.support.steps import STEPS, go_on
from tests.support.world import World


def left_behind(sync: Sync, *, before: str) -> None:
    """A run of one client that ends before this step."""
    run_id = start_run(sync, RunKind.FULL, holder="test")
    go_on(sync, run_id, before=before)
    release_lease(sync, run_id, "its process died")


def begun_without_settling(sync: Sync) -> int:
    """The next run, whose first step is passed over, ready to plan."""
    run_id = start_run(sync, RunKind.FULL, holder="test")
    go_on(sync, run_id, after="settle_earlier_runs", before="plan")
    return run_id


def test_O01_what_a_dead_run_has_staged_goes_with_the_next_one_that_succeeds(world: World) -> None:
    """The run after that looks no further back."""
    staged = "SELECT run_id FROM contact_sync.outbox"
    world.add("ann@example.com")
    with world.sync() as sync:
        left_behind(sync, before="plan")
        assert len(world.state(staged)) == 1
        run_id = begun_without_settling(sync)
        for name in [*STEPS][[*STEPS].index("plan") :]:
            STEPS[name](sync, open_run(sync, run_id))
    assert world.state(staged) == []
    world.assert_converged()


def test_O01_nothing_is_sent_beside_what_an_earlier_run_has_under_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its job would overwrite the newer values; the run after that waits, and sends them."""
    monkeypatch.setattr("contact_sync.run.settle_earlier_runs.POLL_SECONDS", 0.2)
    client = world.add("ann@example.com", first_name="Ann")
    world.emulator.admin.settings(delay=1.0)
    with world.sync() as sync:
        left_behind(sync, before="settle")
        world.edit(client, first_name="Ana")
        run_id = begun_without_settling(sync)
        with pytest.raises(FatalError, match="settle_earlier_runs hasn't ended by itself"):
            STEPS["plan"](sync, open_run(sync, run_id))
        release_lease(sync, run_id, "it can't go on")
    world.emulator.admin.settings(delay=0.05)
    world.run()
    world.assert_converged()

"""O: one run at a time. Whoever lost the lease, or whose run is over, writes and sends nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace

import pytest

from contact_sync.base.errors import ConfigError, FatalError, Fenced, LeaseBusy
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.context import open_run
from contact_sync.run.finish_run import finish_run
from contact_sync.run.release_lease import release_lease
from contact_sync.run.sending.submit import submit_batch
from contact_sync.run.start_run import start_run
from tests.support.steps import STEPS, everything, go_on, the_batch
from tests.support.world import World, define

LANES = pytest.mark.parametrize("lane", ["json", "csv"])


def test_O02_a_busy_lease_is_not_taken(world: World) -> None:
    """The second run says who is at work; it sends nothing and leaves no trace."""
    world.seed()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="the night shift")
        before = everything(world)
        with pytest.raises(LeaseBusy, match=r"the night shift is at work .*one run at a time"):
            world.run()
        assert everything(world) == before
        go_on(sync, run_id, before="finish")
        finish_run(sync, open_run(sync, run_id))
    assert world.emulator.admin.calls() != []
    world.assert_converged()


def test_O02_a_dead_process_of_this_host_holds_up_nobody(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """As after kill -9; one that lives, and one elsewhere, have to be waited for."""
    world.seed()
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        dead = f"command line {socket.gethostname()}:{child.pid}"
    alive = f"command line {socket.gethostname()}:{os.getppid()}"
    elsewhere = f"command line elsewhere:{child.pid}"
    with world.sync() as sync:
        for holder in (alive, elsewhere):
            start_run(sync, RunKind.FULL, holder=holder, take_over=True)
            with pytest.raises(LeaseBusy, match=r"contact_sync run demo --take-over"):
                world.run()
        start_run(sync, RunKind.FULL, holder=dead, take_over=True)
    world.run()
    assert "because its process, on this host, is dead" in caplog.text
    world.assert_converged()


def test_O02_the_lease_is_free_after_a_run_whatever_its_end(world: World) -> None:
    """After success and after a failure the next run begins at once."""
    world.seed()
    world.redefine(list="Nowhere")
    with pytest.raises(ConfigError):
        world.run()
    world.redefine(list="B2CORE clients")
    world.run()
    world.run()
    world.assert_converged()


def test_O02_an_expired_lease_is_taken_over(world: World) -> None:
    """A run that stopped renewing its lease doesn't block the sync; it is shown as superseded."""
    world.seed()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="gone")
    world.state("UPDATE contact_sync.sync SET lease_until = now() - interval '1 second'")
    world.run()
    assert world.report(run_id)["state"] == "superseded"
    world.assert_converged()


def test_O02_every_step_renews_the_lease(world: World) -> None:
    """A run longer than the lease keeps it."""
    world.seed()
    left = "SELECT lease_until > now() + interval '14 minutes' FROM contact_sync.sync"
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="slow")
        for name, step in STEPS.items():
            world.state("UPDATE contact_sync.sync SET lease_until = now() + interval '1 minute'")
            run = open_run(sync, run_id)
            assert world.state(left) == [(True,)], name
            step(sync, run)
    world.assert_converged()


@pytest.mark.parametrize(
    ("step", "lane"), [*((step, "json") for step in STEPS), ("submit", "csv"), ("settle", "csv")]
)
def test_O04_a_zombie_changes_nothing_after_a_take_over(world: World, step: str, lane: str) -> None:
    """A paused process wakes up at any step: Fenced, no row and no contact of it is written."""
    world.redefine(lane=lane, suppressions={})
    world.seed()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="zombie")
        go_on(sync, run_id, before=step)
        zombie = open_run(sync, run_id)
        start_run(sync, RunKind.FULL, holder="successor", take_over=True)
        before = everything(world)
        with pytest.raises(Fenced):
            STEPS[step](sync, zombie)
        assert everything(world) == before
        with pytest.raises(FatalError, match=r"is over \(superseded\)"):
            open_run(sync, run_id)
    world.run(take_over=True)
    world.assert_converged()


@LANES
def test_O04_a_zombie_can_not_undo_its_successor(world: World, lane: str) -> None:
    """Old values that were staged before a take-over never leave: the successor dropped them."""
    world.redefine(lane=lane)
    world.seed()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="zombie")
        go_on(sync, run_id, before="submit")
        zombie, batch = open_run(sync, run_id), the_batch(sync)
        world.change()
        world.run(take_over=True)
        before = everything(world)
        submit_batch(sync, zombie, batch)
        assert everything(world) == before
    world.assert_converged()


@LANES
def test_O04_a_batch_of_a_run_that_was_ended_is_not_sent(world: World, lane: str) -> None:
    """The lease was released while a worker was on its way to send."""
    world.redefine(lane=lane)
    world.seed()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="slow worker")
        go_on(sync, run_id, before="submit")
        late = open_run(sync, run_id)
        release_lease(sync, run_id, "ended by a person")
        with pytest.raises(Fenced):
            submit_batch(sync, late, the_batch(sync))
    assert world.sent() == ""
    assert world.report()["cause"] == "ended by a person"


def test_O05_steps_of_a_run_that_is_over_are_refused(world: World) -> None:
    """Clearing a task of a finished run in Airflow sends nothing and says what to do."""
    world.seed()
    world.run()
    before = everything(world)
    with world.sync() as sync:
        with pytest.raises(FatalError, match=r"is over \(succeeded\).*Trigger a new run"):
            open_run(sync, world.report()["id"])
        release_lease(sync, world.report()["id"], "too late")
    assert everything(world) == before


@pytest.mark.parametrize("step", ["select", "stage"])
def test_O05_a_run_that_has_begun_to_send_is_not_read_again(world: World, step: str) -> None:
    """Clearing an earlier task of a running run can't change what its batches hold."""
    world.seed()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="first")
        go_on(sync, run_id, before="settle")
        world.change()
        with pytest.raises(FatalError, match="has begun to send"):
            STEPS[step](sync, open_run(sync, run_id))
        go_on(sync, run_id, after="submit", before="finish")
        finish_run(sync, open_run(sync, run_id))
    assert world.contact("client1@example.com")["first_name"] == "Zoë 1"
    world.run()
    world.assert_converged()


@pytest.mark.parametrize("step", ["select", "submit", "finish"])
def test_O11_a_definition_edited_during_a_run_stops_it(world: World, step: str) -> None:
    """Whichever step comes next; the next run uses the new definition."""
    world.seed()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="first")
        go_on(sync, run_id, before=step)
    world.redefine(on_address_change="keep")
    with world.sync() as sync:
        before = everything(world)
        with pytest.raises(ConfigError, match=r"was edited while run \d+ was at work. Trigger"):
            STEPS[step](sync, open_run(sync, run_id))
        assert everything(world) == before
        release_lease(sync, run_id, "edited")
    world.run()
    world.assert_converged()


@pytest.mark.parametrize("step", ["plan", "submit", "settle"])
def test_another_sync_in_the_same_database_disturbs_no_step(world: World, step: str) -> None:
    """A whole run of a second sync between two steps of the first."""
    other_list = world.emulator.admin.create_list("Other list")
    other = replace(world, definition=define(name="other", list="Other list"), list_id=other_list)
    world.seed()
    world.run()
    other.run()
    world.change_again()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="first")
        go_on(sync, run_id, before=step)
        assert other.run()["counts"]["sent"] == 2
        STEPS[step](sync, open_run(sync, run_id))
        if step != "finish":
            go_on(sync, run_id, after=step, before="finish")
            finish_run(sync, open_run(sync, run_id))
    world.run()
    for each in (world, other):
        assert each.run()["counts"]["sent"] == 0
        each.assert_converged()

"""Books that balance, dry runs that change nothing, steps that may be repeated, runs that race."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from contact_sync.base.errors import BooksDontBalance, FatalError, LeaseBusy
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.check_setup import check_setup
from contact_sync.run.context import open_run
from contact_sync.run.finish_run import finish_run
from contact_sync.run.in_one_process import run_sync
from contact_sync.run.plan_batches import plan_batches
from contact_sync.run.release_lease import release_lease
from contact_sync.run.select_clients import select_clients
from contact_sync.run.sending.poll_job import settle_batch
from contact_sync.run.sending.submit import submit_batch
from contact_sync.run.settle_earlier_runs import settle_earlier_runs
from contact_sync.run.stage_clients import stage_clients
from contact_sync.run.start_run import start_run
from contact_sync.state.runs import Run
from contact_sync.sync import Sync
from tests.support.world import World

TABLES = ("sync", "ledger", "batch", "outbox", "removal", "dropped_value", "refused_value")
WATERMARK = "SELECT watermark FROM contact_sync.sync"


def begin(sync: Sync) -> int:
    """Begin an incremental run."""
    return start_run(sync, RunKind.INCREMENTAL, holder="first")


def planned(sync: Sync) -> tuple[Run, int]:
    """A run that is about to send its one batch."""
    run_id = begin(sync)
    settle_earlier_runs(sync, open_run(sync, run_id))
    check_setup(sync, open_run(sync, run_id))
    select_clients(sync, open_run(sync, run_id))
    stage_clients(sync, open_run(sync, run_id), 0)
    (batch_id,) = plan_batches(sync, open_run(sync, run_id))
    return open_run(sync, run_id), batch_id


def sent(sync: Sync) -> tuple[Run, int]:
    """A run whose one batch is confirmed."""
    run, batch_id = planned(sync)
    submit_batch(sync, run, batch_id)
    while not settle_batch(sync, run, batch_id):
        threading.Event().wait(0.05)
    return run, batch_id


def tables(world: World) -> dict[str, Any]:
    """The whole content of the tables that a dry run may not touch."""
    return {t: world.state(f"SELECT * FROM contact_sync.{t} ORDER BY 1, 2") for t in TABLES}


def test_O03_of_two_runs_at_the_same_moment_one_is_refused(world: World) -> None:
    """Two processes without Airflow: one sends everything, the other one nothing."""
    world.seed()
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def run(holder: str) -> None:
        with world.sync() as sync:
            start.wait()
            try:
                run_sync(sync, RunKind.INCREMENTAL, holder=holder)
                outcomes.append("done")
            except LeaseBusy:
                outcomes.append("busy")

    threads = [threading.Thread(target=run, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["busy", "done"]
    assert len(world.writes()) == 1
    world.assert_converged()


def test_O04_a_zombie_cannot_settle_or_finish(world: World) -> None:
    """Its batch was settled by the newer run; the ledger stays as that one wrote it."""
    world.seed()
    with world.sync() as sync:
        run, batch_id = planned(sync)
        submit_batch(sync, run, batch_id)
        while any(job["status"] == "pending" for job in world.emulator.admin.jobs()):
            continue
        world.edit(1, first_name="Newer")
        world.run(take_over=True)
        before = tables(world)
        assert settle_batch(sync, run, batch_id)
        with pytest.raises(FatalError, match="is over"):
            open_run(sync, run.run_id)
        release_lease(sync, run.run_id, "too late")
    assert tables(world) == before
    world.assert_converged()


def test_O04_a_zombie_cannot_release_the_newer_runs_lease(world: World) -> None:
    """`release_lease` of a fenced run frees nothing."""
    with world.sync() as sync:
        old = begin(sync)
        newer = start_run(sync, RunKind.INCREMENTAL, holder="second", take_over=True)
        release_lease(sync, old, "too late")
        with pytest.raises(LeaseBusy, match="second is at work"):
            begin(sync)
        release_lease(sync, newer, "done")


@pytest.mark.parametrize("kind", ["incremental", "full", "resend"])
def test_dry_run_changes_nothing(world: World, kind: str) -> None:
    """Only reads at SendGrid; sync, ledger, batch and outbox stay; the plan is the real one."""
    world.seed()
    world.run()
    world.change()
    before, writes = tables(world), world.writes()
    plan = world.run(kind, dry_run=True)
    assert tables(world) == before
    assert world.writes() == writes
    assert (plan["dry_run"], plan["state"]) == (True, "succeeded")
    real = world.run(kind)
    assert plan["counts"]["to_send"] == real["counts"]["to_send"] == real["counts"]["sent"]


def test_dry_run_needs_no_lease_and_takes_none(world: World) -> None:
    """It may run beside a real run, also as the very first one."""
    world.seed()
    assert world.run(dry_run=True)["counts"]["new"] == 4
    with world.sync() as sync:
        run, batch_id = planned(sync)
        assert world.run(dry_run=True)["counts"]["new"] == 4
        submit_batch(sync, run, batch_id)
    assert world.state("SELECT state FROM contact_sync.run WHERE NOT dry_run") == [("running",)]


def test_the_books_must_balance(world: World) -> None:
    """A client without a fate stops the run, and the watermark stays where it was."""
    world.seed()
    with world.sync() as sync:
        run, _ = sent(sync)
        world.state("DELETE FROM contact_sync.ledger WHERE client_id = 1")
        with pytest.raises(BooksDontBalance, match=r"6 clients, but .* the fate of 5"):
            finish_run(sync, open_run(sync, run.run_id))
        assert world.state(WATERMARK) == [(None,)]
        release_lease(sync, run.run_id, "books")
    world.run("full")
    assert world.report()["books"]["confirmed"] == 4


def test_a_run_with_an_open_batch_cannot_finish(world: World) -> None:
    """Named by number; the watermark stays, although the ledger knows a fate of every client."""
    world.seed()
    world.run()
    mark = world.state(WATERMARK)
    world.edit(1, first_name="Ana")
    with world.sync() as sync:
        run, batch_id = planned(sync)
        with pytest.raises(FatalError, match=rf"what became of batch {batch_id}:"):
            finish_run(sync, run)
        assert world.state(WATERMARK) == mark
        release_lease(sync, run.run_id, "not sent")
    world.run()
    world.assert_converged()


def test_D11_O06_each_step_may_be_repeated(world: World) -> None:
    """Every step twice, as Airflow may: one upsert, one ledger row a client, balanced books."""
    world.seed()
    with world.sync() as sync:
        run_id = begin(sync)
        for _ in range(2):
            check_setup(sync, open_run(sync, run_id))
            assert select_clients(sync, open_run(sync, run_id)) == 1
            stage_clients(sync, open_run(sync, run_id), 0)
        plan_batches(sync, open_run(sync, run_id))
        (batch_id,) = plan_batches(sync, open_run(sync, run_id))
        for _ in range(2):
            submit_batch(sync, open_run(sync, run_id), batch_id)
        while not settle_batch(sync, open_run(sync, run_id), batch_id):
            threading.Event().wait(0.05)
        assert settle_batch(sync, open_run(sync, run_id), batch_id)
        assert plan_batches(sync, open_run(sync, run_id)) == []
        finish_run(sync, open_run(sync, run_id))
    assert len(world.writes()) == 1
    assert world.report()["books"]["confirmed"] == 4
    world.assert_converged()

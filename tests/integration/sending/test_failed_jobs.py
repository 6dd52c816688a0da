"""Jobs that fail as a whole: the bad rows are searched for, and the others confirmed."""

from __future__ import annotations

import pytest

from contact_sync.base.errors import FatalError
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.context import open_run
from contact_sync.run.send_batch import send_batch
from contact_sync.run.settle_earlier_runs import settle_earlier_runs
from contact_sync.run.start_run import start_run
from tests.support.steps import go_on, staged, the_batch
from tests.support.world import World

LANES = pytest.mark.parametrize("lane", ["json", "csv"])
POISON = "rejected: contact: import_failed"


@LANES
@pytest.mark.parametrize("bad", [{1}, {5}, {1, 8}, {4, 5, 6}])
def test_D06_bad_rows_are_found_and_the_others_confirmed(
    world: World, lane: str, bad: set[int]
) -> None:
    """In the same run, which is a success; the bad ones are rejected with a reason."""
    world.redefine(lane=lane)
    emails = world.add_clients(8)
    poison = [emails[number - 1] for number in bad]
    world.emulator.admin.settings(poison_emails=poison)
    report = world.run()
    fates = world.fates()
    assert {client for client, fate in fates.items() if fate == POISON} == bad
    assert set(fates.values()) == {POISON, "confirmed"}
    assert set(world.contacts()) == set(emails) - set(poison)
    assert report["books"]["pending"] == 0
    assert world.run()["counts"]["sent"] == 0


def test_D06_one_bad_row_costs_at_most_two_jobs_a_level(world: World) -> None:
    """Failed jobs: the batch, its repetition, and one for each halving."""
    world.add_clients(8)
    world.emulator.admin.settings(poison_emails=["client6@example.com"])
    world.run()
    failed = [job for job in world.emulator.admin.jobs() if job["status"] == "failed"]
    assert len(failed) == 2 + 3


@LANES
@pytest.mark.parametrize("clients", [1, 2, 9])
def test_C11_a_cause_that_is_no_contact_rejects_nobody_and_stops_soon(
    world: World, lane: str, clients: int
) -> None:
    """Every job fails: all are pending, the message names the likely causes."""
    world.redefine(lane=lane)
    emails = world.add_clients(clients)
    world.emulator.admin.settings(poison_emails=emails)
    with pytest.raises(FatalError, match="the plan's contact limit"):
        world.run()
    assert set(world.fates().values()) == {"pending: job_failed"}
    assert len(world.emulator.admin.jobs()) <= 8
    assert staged(world) == (0, 0)
    world.emulator.admin.settings(poison_emails=[])
    world.run()
    assert set(world.fates().values()) == {"confirmed"}


def test_C11_contacts_beyond_the_plans_limit_are_not_taken_for_bad_ones(world: World) -> None:
    """Some fit, several don't: these are pending and fit later."""
    world.add_clients(6)
    world.emulator.admin.settings(contact_limit=3)
    with pytest.raises(FatalError, match="the plan's contact limit"):
        world.run()
    assert not [fate for fate in world.fates().values() if fate.startswith("rejected")]
    world.emulator.admin.settings(contact_limit=None)
    world.run()
    assert set(world.fates().values()) == {"confirmed"}


def test_D06_a_bad_row_among_changed_clients_keeps_its_former_contact_known(world: World) -> None:
    """An address that changed to a bad one: the old contact stays the client's."""
    world.add_clients(4)
    world.run()
    world.sql("UPDATE b2core.clients SET first_name = 'New'")
    world.edit(2, email="bad@example.com")
    world.emulator.admin.settings(poison_emails=["bad@example.com"])
    world.run()
    assert world.fates()[2] == POISON
    world.emulator.admin.settings(poison_emails=[])
    world.edit(2, email="good@example.com")
    world.run()
    assert set(world.contacts()) == {f"{name}@example.com" for name in
                                     ("client1", "good", "client3", "client4")}  # fmt: skip


def test_D06_a_run_killed_in_the_middle_of_a_family_goes_on(world: World) -> None:
    """A new process continues with the first open batch; nothing is sent twice."""
    world.add_clients(4)
    world.emulator.admin.settings(poison_emails=["client3@example.com"])
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        go_on(sync, run_id, before="submit")
        root = the_batch(sync)
        before = len(world.emulator.admin.jobs())
        while send_batch(sync, open_run(sync, run_id), root):
            if len(world.emulator.admin.jobs()) >= before + 3:
                break
    with world.sync() as sync:
        while send_batch(sync, open_run(sync, run_id), root):
            continue
        go_on(sync, run_id, after="settle", before="finish")
    assert world.fates() == {1: "confirmed", 2: "confirmed", 3: POISON, 4: "confirmed"}
    assert len(world.emulator.admin.jobs()) == 2 + 4


def test_D06_an_earlier_runs_failed_batch_is_postponed_and_not_split(world: World) -> None:
    """Drain only settles; the next run sends its clients itself."""
    world.add_clients(4)
    world.emulator.admin.job_fault("fails_halfway", after_rows=0)
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        go_on(sync, run_id, before="settle")
        later = start_run(sync, RunKind.INCREMENTAL, holder="later", take_over=True)
        while settle_earlier_runs(sync, open_run(sync, later)) is not None:
            continue
    assert set(world.fates().values()) == {"pending: job_failed"}
    assert world.state("SELECT count(*) FROM contact_sync.batch") == [(1,)]
    world.run(take_over=True)
    assert set(world.fates().values()) == {"confirmed"}

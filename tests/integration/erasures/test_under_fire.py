"""Erasures while runs, uploads and verifications are under way, and while SendGrid fails."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from contact_sync.base import failpoints
from contact_sync.base.errors import FateUnknown
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.context import open_run
from contact_sync.run.erasing import IN_USE
from contact_sync.run.finish_run import finish_run
from contact_sync.run.start_run import start_run
from contact_sync.verify.begin_verification import begin_verification
from contact_sync.verify.compare_sides import fail_verification
from tests.support.connections import kept_connections
from tests.support.crashes import all_points
from tests.support.erased import ask, erase, go_on, outlast_the_search, states, traces
from tests.support.forks import FORKS
from tests.support.steps import STEPS
from tests.support.steps import go_on as take_steps
from tests.support.world import World, define

ANN, BOB = "ann@example.com", "bob@example.com"
ANN_ID = 987_654_321
MOMENTS = [name for name in STEPS if name not in ("settle_earlier_runs", "finish")]


@pytest.mark.parametrize("before", MOMENTS)
def test_E07_asked_for_during_a_run_it_ends_with_the_next_one(world: World, before: str) -> None:
    """Before each step of a run that has, or would have, the person: its books balance, and what
    hadn't left doesn't leave."""
    world.add(ANN, id=ANN_ID)
    world.add(BOB)
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        take_steps(sync, run_id, before=before)
        left = ANN in world.sent()
        ask(world, email=ANN)
        (why,) = go_on(world)
        assert "at work on this sync" in str(why)
        last = list(STEPS)[list(STEPS).index(before) - 1]
        take_steps(sync, run_id, before="finish", after=last)
        finish_run(sync, open_run(sync, run_id))
    assert (ANN in world.sent()) == left
    assert BOB in world.contacts()
    world.run()
    outlast_the_search(world)
    world.run()
    assert world.contacts().keys() == {BOB}
    assert set(states(world).values()) == {"finished"}
    assert traces(world, ANN, str(ANN_ID)) == []


@pytest.mark.parametrize("others", [True, False])
def test_E07_a_call_without_an_answer_is_repeated_without_the_person(
    world: World, others: bool
) -> None:
    """The contact may be there already; the next run looks for it and deletes it."""
    world.add(ANN)
    if others:
        world.add(BOB)
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        take_steps(sync, run_id, before="submit")
        world.emulator.admin.fault("PUT", "/v3/marketing/contacts", status=503, when="after")
        with pytest.raises(FateUnknown):
            STEPS["submit"](sync, open_run(sync, run_id))
        ask(world, email=ANN)
        STEPS["submit"](sync, open_run(sync, run_id))
        assert (ANN in world.last_upsert()) == (not others)
        take_steps(sync, run_id, before="finish", after="submit")
        finish_run(sync, open_run(sync, run_id))
    world.run()
    assert world.contacts().keys() == ({BOB} if others else set())
    assert traces(world, ANN) == []


def test_E07_a_verification_under_way_is_waited_for(world: World) -> None:
    """It may find the contact that is about to go, and write it down."""
    world.add(ANN)
    world.run()
    with world.sync() as sync:
        number = begin_verification(sync, holder="test")
        ask(world, email=ANN)
        assert go_on(world) == [IN_USE]
        fail_verification(sync, number, "given up")
    assert go_on(world) == [None]
    assert traces(world, ANN) == []


def test_E08_what_sendgrid_refuses_is_told_and_done_by_the_next_run(world: World) -> None:
    """The key may not erase event data: the contact goes all the same; degraded, and late."""
    world.add(ANN)
    world.add(BOB)
    world.run()
    erasure_id = ask(world, email=ANN)
    world.emulator.admin.fault("POST", "/v3/recipients/erasejob", status=403)
    world.redefine(deadlines={"erasure_hours": 0.000001, "quarantine_minutes": 0})
    report = world.run()
    assert world.contacts().keys() == {BOB}
    assert report["degraded"] == [
        "1 erasure isn't finished", "1 erasure is older than its deadline",
    ]  # fmt: skip
    assert states(world) == {erasure_id: "open"}
    assert world.run()["degraded"] == []
    assert states(world) == {erasure_id: "finished"}
    assert world.emulator.admin.erased() == [ANN]


def test_E08_one_address_that_sendgrid_takes_for_none_keeps_no_other_back(world: World) -> None:
    """It names the address; the others' event data is erased."""
    world.emulator.admin.fault(
        "POST", "/v3/recipients/erasejob", status=400,
        headers={"content-type": "application/json"},
        body='{"errors": [{"message": "Email_address bob@example.com is not valid"}]}',
    )  # fmt: skip
    erase(world, email=ANN, also=[BOB])
    assert world.emulator.admin.erased() == [ANN]


@pytest.mark.parametrize("point", sorted(all_points("erasure")))
def test_E09_killed_while_it_is_asked_for(world: World, point: str) -> None:
    """All of the request is there, or nothing; asked for again, it is the same erasure."""
    world.add(ANN)
    world.run()
    child = FORKS.Process(target=_ask, args=(world.portable(), point))
    child.start()
    child.join(60)
    assert child.exitcode == -9
    known = list(states(world))
    assert len(known) == (point == "erasure_requested")
    erasure_id = ask(world, email=ANN)
    assert erasure_id in (known or [erasure_id])
    world.run()
    assert states(world) == {erasure_id: "finished"}


def _ask(world: World, point: str) -> None:
    os.environ[failpoints.VARIABLE] = point
    with kept_connections():
        ask(world, email=ANN)


def test_E10_another_sync_of_the_state_database_forgets_the_person_too(world: World) -> None:
    """By its own run; the client's id there is another one."""
    other = replace(world, definition=define(name="other"))
    world.add(ANN)
    world.add(BOB)
    other.run()
    world.run("full")
    erasure_id = ask(world, email=ANN)
    assert go_on(world) == [None]
    assert states(world) == {erasure_id: "open"}
    outlast_the_search(world)
    other.run()
    assert states(world) == {erasure_id: "finished"}
    assert traces(world, ANN) == []
    other.run("resend")
    assert world.contacts().keys() == {BOB}


def test_E15_an_opt_out_stays_at_sendgrid_and_is_not_kept_here(world: World) -> None:
    """The address is suppressed for good, and each run reads that."""
    world.redefine(suppressions={})
    world.add(ANN)
    world.emulator.admin.suppress(ANN, BOB)
    world.run()
    erase(world, email=ANN)
    world.state("UPDATE contact_sync.suppression_reading SET whole_at = NULL")
    world.run()
    assert ANN in world.emulator.admin.suppressions()
    assert traces(world, ANN) == []
    assert traces(world, BOB) == [f"suppression: {BOB}"]

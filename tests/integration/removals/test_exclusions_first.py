"""Exclusions go first: whose address it is now, and whatever becomes of the upserts of the run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from contact_sync.airflow_edge.approval import ApprovePlanOperator
from contact_sync.base.errors import SyncError
from contact_sync.base.vocabulary import RunKind
from contact_sync.run import in_one_process
from contact_sync.run.start_run import start_run
from tests.support.steps import go_on
from tests.support.world import World

ANN, BOB, NEW = "ann@example.com", "bob@example.com", "new@example.com"
OUT: dict[str, Any] = {"last_name": "opted out"}
CONTACTS = "/v3/marketing/contacts"
TIGHT = {
    "removals": {"contacts": 5, "share": 0.0}, "changes": {"contacts": 0, "share": 0.0},
    "approval_hours": 1,
}  # fmt: skip
LANES = pytest.mark.parametrize("lane", ["json", "csv"])
POLICIES = pytest.mark.parametrize("policy", ["unlist", "delete"])


def swap(world: World) -> dict[str, str]:
    """Who opts out and another client exchange their addresses."""
    world.edit(1, email=None)
    world.edit(2, email=ANN)
    world.edit(1, email=BOB, **OUT)
    return {ANN: "Bob"}


def takes(world: World) -> dict[str, str]:
    """Who opts out has the address that another client leaves in the same run."""
    world.edit(2, email=NEW)
    world.edit(1, email=BOB, **OUT)
    return {NEW: "Bob"}


def leaves(world: World) -> dict[str, str]:
    """Who opts out has left its address to another client, who has had one before."""
    world.edit(1, email=NEW, **OUT)
    world.edit(2, email=ANN)
    return {ANN: "Bob"}


def newcomer(world: World) -> dict[str, str]:
    """Who opts out has left its address to a client whom nobody knows yet."""
    world.edit(1, email=NEW, **OUT)
    world.add(ANN, first_name="Cy")
    world.edit(2, first_name="Rob")
    return {ANN: "Cy", BOB: "Rob"}


SITUATIONS = (swap, takes, leaves, newcomer)


def goes_well(world: World, _: list[str]) -> None:
    """Every upsert works."""
    del world


def is_refused(world: World, emails: list[str]) -> None:
    """SendGrid's job refuses the contacts."""
    world.emulator.admin.settings(refused_emails=dict.fromkeys(emails, "no"))


def fails(world: World, emails: list[str]) -> None:
    """Whatever job they are in fails."""
    world.emulator.admin.settings(poison_emails=emails)


def is_forgotten(world: World, _: list[str]) -> None:
    """Nobody knows what the job did."""
    world.emulator.admin.job_fault("forgotten", job=world.definition.tuning.lane)


def is_lost(world: World, _: list[str]) -> None:
    """No request gets an answer."""
    for method, route in (("PUT", CONTACTS), ("PUT", f"{CONTACTS}/imports")):
        world.emulator.admin.fault(method, route, status=500, times=100)


def is_held(world: World, _: list[str]) -> None:
    """So many changes wait for a person."""
    world.redefine(limits=TIGHT)


OUTCOMES = (goes_well, is_refused, fails, is_forgotten, is_lost, is_held)


@pytest.fixture
def two(consenting: World) -> World:
    """Two clients, sent long ago."""
    consenting.add(ANN, first_name="Ann")
    consenting.add(BOB, first_name="Bob")
    consenting.run()
    return consenting


def listed(world: World) -> dict[str, str]:
    """First name by address of the contacts on the list."""
    found = world.contacts().items()
    return {e: c["first_name"] for e, c in found if world.list_id in c["list_ids"]}


@pytest.mark.parametrize(("lane", "policy"), [("json", "unlist"), ("csv", "delete")])
@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.__name__)
def test_F12_an_exclusion_waits_for_no_upsert(
    two: World,
    monkeypatch: pytest.MonkeyPatch,
    situation: Callable[[World], dict[str, str]],
    outcome: Callable[[World, list[str]], None],
    lane: str,
    policy: str,
) -> None:
    """In the very run that sees it nobody is on the list any more as who opted out, nor at the
    address that is the excluded one's now; once the fault is over, everybody is right."""
    monkeypatch.setattr(in_one_process, "MAX_SUBMITS", 1)
    two.redefine(on_exclusion=policy, on_address_change="unlist", lane=lane)
    wanted = situation(two)
    outcome(two, list(wanted))
    stops = outcome in (fails, is_lost, is_held)
    with pytest.raises(SyncError) if stops else nullcontext():
        two.run()
    mine = two.sql("SELECT email FROM b2core.clients WHERE id = 1")[0][0]
    assert "Ann" not in listed(two).values()
    assert mine not in listed(two)
    two.emulator.admin.settings(refused_emails={}, poison_emails=[])
    two.emulator.admin.clear_faults()
    two.run(approve=True, retry_rejected=outcome in (is_refused, fails))
    assert listed(two) == wanted
    assert [what for what in two.run()["degraded"] if "exclu" in what] == []


@POLICIES
def test_F12_who_takes_the_address_waits_while_its_removal_may_still_work(
    two: World, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    """A removal that works late must not take away who has the address now."""
    monkeypatch.setattr("contact_sync.run.sending.removal_targets.SHOWN_SECONDS", 0.2)
    two.redefine(on_exclusion=policy)
    leaves(two)
    kind = "list_removal" if policy == "unlist" else "delete"
    two.emulator.admin.job_fault("no_effect", job=kind)
    report = two.run()
    assert two.fates()[2] == "pending: address_not_free"
    assert any("of excluded clients" in what for what in report["degraded"])
    two.run()
    assert listed(two) == {ANN: "Bob"}
    two.run()
    assert two.fates()[2] == "confirmed"


def test_F12_a_removal_without_end_keeps_nobody_back_for_ever(
    two: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After five removals in vain the next one rests, and the address is sent."""
    monkeypatch.setattr("contact_sync.run.sending.removal_targets.SHOWN_SECONDS", 0.2)
    leaves(two)
    two.emulator.admin.settings(list_removal_effect="nothing")
    for _round in range(6):
        two.run()
    assert two.fates()[2] == "confirmed"
    assert listed(two)[ANN] == "Bob"


@LANES
def test_F12_a_rejected_client_keeps_no_excluded_ones_contact_on_the_list(
    two: World, lane: str
) -> None:
    """The address is another client's by now, whom SendGrid refuses: in each run that comes."""
    two.redefine(lane=lane)
    two.emulator.admin.settings(refused_emails={ANN: "no"})
    two.edit(1, email=NEW)
    two.edit(2, email=ANN)
    two.run()
    two.edit(1, **OUT)
    two.run()
    assert ANN not in listed(two)
    assert NEW not in listed(two)


def test_F12_B21_a_former_address_that_waits_goes_when_its_client_opts_out(
    two: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What should go along doesn't arrive; whoever opts out is waited for no longer."""
    monkeypatch.setattr("contact_sync.run.sending.move_person.SHOWN_AFTER_SECONDS", 0.1)
    notes = two.emulator.admin.create_field("Notes", "Text")
    two.emulator.admin.put_contacts({"email": ANN, "custom_fields": {notes: "called"}})
    two.edit(1, email=NEW)
    two.emulator.admin.settings(refused_values={"Notes": ["*"]})
    two.run()
    assert ANN in two.contacts()
    two.edit(1, **OUT)
    two.run()
    assert listed(two) == {BOB: "Bob"}


def test_F06_F12_exclusions_above_the_limit_wait_for_a_person(two: World) -> None:
    """They are no small matter any more: a column may have lost its meaning."""
    tight = TIGHT | {"removals": {"contacts": 0, "share": 0.0}}
    two.redefine(limits=tight)
    two.edit(1, **OUT)
    with pytest.raises(SyncError, match="1 contact would be removed, the limit is 0"):
        two.run()
    assert listed(two) == {ANN: "Ann", BOB: "Bob"}
    two.run(approve=True)
    assert listed(two) == {BOB: "Bob"}


def test_F06_F12_other_removals_above_the_limit_hold_no_exclusion(two: World) -> None:
    """Three clients get another address, which is too much; who opts out leaves all the same."""
    for n in range(3):
        two.add(f"client{n}@example.com", first_name="Cy")
    two.run()
    two.redefine(limits=TIGHT | {"removals": {"contacts": 1, "share": 0.0}})
    two.sql("UPDATE b2core.clients SET email = 'x' || email WHERE first_name = 'Cy'")
    two.edit(1, **OUT)
    with pytest.raises(SyncError, match="contacts would be removed, the limit is 1"):
        two.run()
    assert sorted(listed(two).values()) == ["Bob", "Cy", "Cy", "Cy"]


def test_F06_F12_while_a_person_is_asked_the_exclusions_are_done(
    two: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow's task carries them out before it asks; the others wait for the answer."""
    two.connect_airflow(monkeypatch)
    two.redefine(limits=TIGHT)
    read = "contact_sync.airflow_edge.handles.read_definition"
    monkeypatch.setattr(read, lambda _: two.definition)
    two.edit(2, first_name="Rob")
    two.edit(1, **OUT)
    asked = []

    def ask(operator: ApprovePlanOperator, _: Any) -> None:
        asked.append((operator.body, listed(two)))

    monkeypatch.setattr("airflow.providers.standard.operators.hitl.HITLOperator.execute", ask)
    with two.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        go_on(sync, run_id, before="exclude")
    task = ApprovePlanOperator(
        task_id="approve_plan", sync_name="demo", start_task_id="start_run", hours=1
    )
    task.execute({"ti": SimpleNamespace(xcom_pull=lambda **_: run_id)})
    assert [names for _, names in asked] == [{BOB: "Bob"}]
    assert "1 contact would be changed, the limit is 0" in str(asked[0][0])

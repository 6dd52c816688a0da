"""A removal counts when a look shows it, whatever its job says, and comes to an end in any case."""

from __future__ import annotations

import time
from typing import Any

import pytest

from contact_sync.base.errors import RequestRefused
from contact_sync.sendgrid.api import SendGridApi
from contact_sync.state import removals
from tests.support.world import World

ONE_LIST_REMOVAL = {"job": "list_removal"}


@pytest.fixture
def moved(world: World) -> World:
    """A client has got another address; its former contact is to be taken off the list."""
    world.redefine(on_address_change="unlist")
    client = world.add("old@example.com")
    world.run()
    world.edit(client, email="new@example.com")
    return world


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run doesn't wait until a removal shows."""
    monkeypatch.setattr("contact_sync.run.sending.removal_targets.SHOWN_SECONDS", 0.3)


def removals_sent(world: World) -> int:
    """How many calls took contacts off a list, or deleted them."""
    calls = world.emulator.admin.calls()
    return sum(call["method"] == "DELETE" and not call["by_test"] for call in calls)


def is_listed(world: World, email: str) -> bool:
    """Whether the contact is on the sync's list."""
    return world.list_id in world.contacts()[email]["list_ids"]


@pytest.mark.parametrize("quarantine", [0.0, 0.05, 30.0])
def test_F08_a_list_removal_whose_job_is_not_served_ends_in_the_same_run(
    moved: World, quarantine: float
) -> None:
    """The API's description serves three kinds of jobs, and list removals aren't among them."""
    moved.redefine(deadlines={"job_hours": 1.0, "quarantine_minutes": quarantine})
    moved.emulator.admin.settings(list_removal_jobs="unknown")
    report = moved.run()
    assert (report["counts"]["unlisted"], report["degraded"]) == (1, [])
    assert not is_listed(moved, "old@example.com")
    later = moved.run()
    assert (later["jobs"], later["degraded"]) == ([], [])


@pytest.mark.usefixtures("impatient")
def test_F08_a_removal_that_changed_nothing_is_seen_and_sent_again(moved: World) -> None:
    """`completed`, and the contact is on the list: nodejs#1170."""
    moved.emulator.admin.job_fault("no_effect", **ONE_LIST_REMOVAL)
    first = moved.run()
    assert first["counts"]["unlisted"] == 0
    assert any("could not be removed" in what for what in first["degraded"])
    assert [job["outcome"] for job in first["jobs"]] == ["applied", "still_shown"]
    second = moved.run()
    assert (second["counts"]["unlisted"], second["degraded"]) == (1, [])
    assert not is_listed(moved, "old@example.com")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("served", ["served", "unknown"])
def test_F08_a_removal_that_never_has_an_effect_is_tried_a_few_times_and_told_by_every_run(
    moved: World, served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No run is held up, nothing is repeated for ever, and a person's hand ends it."""
    moved.redefine(deadlines={"job_hours": 1.0, "quarantine_minutes": 30.0})
    moved.emulator.admin.settings(list_removal_effect="nothing", list_removal_jobs=served)
    reports = [moved.run() for _ in range(removals.ENOUGH_TRIES + 2)]
    assert all(report["degraded"] for report in reports)
    assert removals_sent(moved) == removals.ENOUGH_TRIES
    assert reports[-1]["jobs"] == []
    assert any("remove it in SendGrid's UI" in what for what in reports[-1]["degraded"])
    moved.emulator.admin.settings(list_removal_effect="removes")
    ident = moved.contacts()["old@example.com"]["id"]
    moved.delete_at_sendgrid(f"contacts?ids={ident}")
    while "old@example.com" in moved.contacts():
        time.sleep(0.02)
    monkeypatch.setattr(removals, "REST_HOURS", 0)
    moved.run()
    assert removals_sent(moved) == removals.ENOUGH_TRIES
    assert moved.run()["degraded"] == []


@pytest.mark.usefixtures("impatient")
def test_F08_a_deletion_that_changed_nothing_is_sent_again(world: World) -> None:
    """The same for contacts that are to be deleted: the job even counts them."""
    for n in range(3):
        world.add(f"old{n}@example.com")
    world.run()
    world.sql("UPDATE b2core.clients SET email = replace(email, 'old', 'new')")
    world.emulator.admin.job_fault("no_effect", job="delete")
    assert world.run()["counts"]["removed"] == 0
    assert world.run()["counts"]["removed"] == 3
    world.assert_converged()


def test_D09_a_search_that_lags_behind_the_removal_is_waited_for(moved: World) -> None:
    """By some seconds, in the run: what it then shows counts, and nobody is told."""
    moved.emulator.admin.advance(10)
    moved.emulator.admin.settings(search_lag=1.5)
    moved.emulator.admin.advance(5)
    report = moved.run()
    assert (report["counts"]["unlisted"], report["degraded"]) == (1, [])


@pytest.mark.usefixtures("impatient")
def test_D09_who_is_seen_off_the_list_later_is_not_removed_twice(moved: World) -> None:
    """The search lags longer than a run waits: the next one only looks."""
    moved.emulator.admin.settings(search_lag=3600)
    moved.emulator.admin.advance(2 * 3600)
    report = moved.run()
    assert any("could not be removed" in what for what in report["degraded"])
    moved.emulator.admin.advance(2 * 3600)
    sent = removals_sent(moved)
    assert moved.run()["degraded"] == []
    assert removals_sent(moved) == sent


def test_F08_of_a_removal_that_failed_halfway_the_removed_ones_count(
    consenting: World,
) -> None:
    """The others are tried again at once, by the same run."""
    ids = [consenting.add(f"client{n}@example.com") for n in range(4)]
    consenting.run()
    consenting.sql("UPDATE b2core.clients SET last_name = 'opted out'")
    consenting.emulator.admin.job_fault("fails_halfway", after_rows=2, job="list_removal")
    reports = [consenting.run() for _ in range(2)]
    assert sum(report["counts"]["unlisted"] for report in reports) == 4
    assert reports[-1]["degraded"] == []
    emails = {f"client{n}@example.com" for n in range(4)}
    consenting.assert_converged(unlisted=emails, excluded=set(ids))


def test_F08_a_job_that_is_refused_for_another_reason_is_no_end(
    moved: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only 404 leads to the look; anything else has to be known by a person."""

    def refused(*_: Any) -> Any:
        raise RequestRefused("GET: SendGrid answered 400", status=400, errors=[], is_json=True)

    monkeypatch.setattr(SendGridApi, "job", refused)
    with pytest.raises(RequestRefused):
        moved.run()

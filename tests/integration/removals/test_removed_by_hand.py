"""Who was deleted at SendGrid by a person, or taken off the list, comes back only when told."""

from __future__ import annotations

import time

import pytest

from contact_sync.base.errors import FatalError
from contact_sync.run.sending import removal_targets, removed_by_hand
from tests.support.world import World

ANN = "ann@example.com"


@pytest.fixture
def sure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time has passed: whom SendGrid doesn't show now was removed."""
    monkeypatch.setattr(removal_targets, "SEARCH_LAG_SECONDS", 0.0)


def remove(world: World, what: str) -> None:
    """As a person would in SendGrid's UI."""
    ident = world.contacts()[ANN]["id"]
    path = f"contacts?ids={ident}"
    if what == "unlisted":
        path = f"lists/{world.list_id}/contacts?contact_ids={ident}"
    world.delete_at_sendgrid(path)
    for _ in range(100):
        if not is_back(world):
            return
        time.sleep(0.02)


def is_back(world: World) -> bool:
    """Whether the contact is there and on the list."""
    return world.list_id in world.contacts().get(ANN, {}).get("list_ids", [])


HOW = pytest.mark.parametrize("what", ["deleted", "unlisted"])
LANES = pytest.mark.parametrize("lane", ["json", "csv"])


@HOW
@LANES
@pytest.mark.usefixtures("sure")
def test_F10_who_was_removed_by_hand_comes_back_with_a_resend_only(
    world: World, what: str, lane: str
) -> None:
    """Neither a change nor a full run brings it back; explained, counted, and sent by a resend."""
    world.redefine(lane=lane)
    client, bob = world.add(ANN, phone="call me"), world.add("bob@example.com")
    assert world.run()["dropped_now"] == {"phone_number: no_number": 1}
    remove(world, what)
    world.edit(client, first_name="Anna")
    world.edit(bob, first_name="Bobby")
    report = world.run()
    assert report["exclusions"] == {"removed_by_hand": 1}
    assert (report["books"]["excluded"], report["counts"]["sent"], report["degraded"]) == (1, 1, [])
    assert report["dropped_now"] == {}  # of a client that isn't sent
    for kind in ("incremental", "full"):
        world.edit(client, first_name=f"Anna {kind}")
        assert world.run(kind)["counts"]["sent"] == 0
        assert not is_back(world)
    assert world.fates()[client] == "excluded: removed_by_hand"
    world.run("resend")
    world.assert_converged()
    world.edit(client, first_name="Ann")
    world.run()
    world.assert_converged()


@pytest.mark.usefixtures("sure")
def test_F10_a_list_that_has_lost_its_contacts_stops_the_run(world: World) -> None:
    """Many at once may be nobody's wish: nothing is sent or noted before a person decides."""
    lose_everybody(world)
    for _again in range(2):
        with pytest.raises(FatalError, match=r"3 of the 3 contacts .* are gone .* --mode resend"):
            world.run()
        assert (set(world.fates().values()), world.contacts()) == ({"confirmed"}, {})
    world.run("resend")
    world.assert_converged()


@pytest.mark.usefixtures("sure")
def test_F10_many_are_removed_by_hand_if_a_person_says_so(world: World) -> None:
    """They stay away, as fewer do unasked."""
    lose_everybody(world)
    assert world.run(approve=True)["exclusions"] == {"removed_by_hand": 3}
    assert (world.run()["counts"]["sent"], world.contacts()) == (0, {})


def lose_everybody(world: World) -> None:
    """Four clients are sent, SendGrid loses their contacts, and three of them change."""
    world.redefine(limits={"removals": {"contacts": 1, "share": 0}})
    world.add_clients(4)
    world.run()
    idents = ",".join(contact["id"] for contact in world.contacts().values())
    world.delete_at_sendgrid(f"contacts?ids={idents}")
    while world.contacts():
        time.sleep(0.02)
    world.sql("UPDATE b2core.clients SET first_name = 'Changed' WHERE id <= 3")


@HOW
@LANES
def test_F10_D09_as_long_as_the_search_may_lag_the_client_waits(
    world: World, what: str, lane: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A contact that was confirmed a moment ago may not be shown yet: pending, and told."""
    world.redefine(lane=lane)
    client = world.add(ANN)
    world.run()
    remove(world, what)
    world.edit(client, first_name="Anna")
    for _round in range(2):
        report = world.run()
        assert (report["counts"]["sent"], is_back(world)) == (0, False)
        assert any("pending" in told for told in report["degraded"])
    monkeypatch.setattr(removal_targets, "SEARCH_LAG_SECONDS", 0.0)
    world.run()
    assert (world.fates()[client], is_back(world)) == ("excluded: removed_by_hand", False)


def test_D09_a_change_is_only_late_if_the_search_lags(world: World) -> None:
    """The contact shows at last, and is sent."""
    world.emulator.admin.settings(search_lag=3600)
    client = world.add(ANN)
    world.run()
    world.edit(client, first_name="Anna")
    assert world.run()["books"]["pending"] == 1
    world.emulator.admin.advance(2 * 3600)
    world.run()
    world.assert_converged()


@pytest.mark.usefixtures("sure")
def test_F10_another_address_is_another_contact(world: World) -> None:
    """As documented: the new address is sent, the old one stays away."""
    client = world.add(ANN)
    world.run()
    remove(world, "deleted")
    world.edit(client, first_name="Anna")
    world.run()
    world.edit(client, email="anna@example.com")
    world.run()
    world.assert_converged()


@pytest.mark.usefixtures("sure")
def test_F10_another_client_of_the_address_brings_it_back(world: World) -> None:
    """As documented: a newcomer takes it; once that one has left, the older one represents it."""
    client = world.add(ANN)
    world.run()
    remove(world, "deleted")
    world.edit(client, first_name="Anna")
    assert world.run()["exclusions"] == {"removed_by_hand": 1}
    newer = world.add(ANN)
    world.run()
    world.assert_converged()
    remove(world, "deleted")
    world.edit(newer, first_name="Anna")
    world.run()
    assert not is_back(world)
    world.edit(newer, email="anna@example.com")
    world.run()
    world.assert_converged()


@pytest.mark.usefixtures("sure")
def test_F10_a_run_that_changes_very_many_looks_nobody_up_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an edit of the mapping: then they come back."""
    monkeypatch.setattr(removed_by_hand, "MAX_LOOKED_UP", 1)
    for email in (ANN, "bob@example.com"):
        world.add(email)
    world.run()
    remove(world, "deleted")
    world.sql("UPDATE b2core.clients SET first_name = 'Changed'")
    report = world.run()
    assert any("without a look" in told for told in report["degraded"])
    world.assert_converged()


@pytest.mark.usefixtures("sure")
def test_F10_a_contact_that_was_never_confirmed_is_sent_again(world: World) -> None:
    """Its job was lost: that it isn't there is nobody's wish."""
    world.redefine(deadlines={"job_hours": 0.0001, "quarantine_minutes": 0})
    client = world.add(ANN)
    world.emulator.admin.job_fault("never_starts", job="json")
    assert world.run()["books"]["pending"] == 1
    world.edit(client, first_name="Anna")
    world.run()
    world.assert_converged()


@pytest.mark.usefixtures("sure")
def test_F10_who_is_not_on_a_new_list_yet_was_not_removed_from_it(world: World) -> None:
    """The definition names another list, and everybody is changed for it."""
    world.add_clients(3)
    world.run()
    world.list_id = world.emulator.admin.create_list("Another list")
    world.redefine(list="Another list")
    world.run()
    world.assert_converged()

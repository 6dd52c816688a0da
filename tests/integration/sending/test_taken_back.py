"""A rejection that a look at SendGrid's contact disproves is taken back."""

from __future__ import annotations

import pytest

from contact_sync.run.sending import rejected_contacts
from contact_sync.state.rejections import MAX_RETAKEN
from contact_sync.state.settling import ENOUGH_TRIES
from tests.support.world import World

LANES = pytest.mark.parametrize("lane", ["json", "csv"])
KINDS = pytest.mark.parametrize("kind", ["incremental", "full"])
ANN = "ann@example.com"
NEVER = "rejected: contact: never_applied"


def reject_unseen(world: World, lane: str) -> None:
    """Apply everything, and never show it: the client is rejected although its contact is right."""
    world.emulator.admin.settings(search_lag=3600)
    for _round in range(ENOUGH_TRIES):
        world.emulator.admin.job_fault("no_results", job=lane)
        world.run()
    assert world.fates()[1] == NEVER
    world.emulator.admin.settings(search_lag=0)


def reject_skipped(world: World, lane: str) -> None:
    """Never apply it."""
    for _round in range(ENOUGH_TRIES):
        world.emulator.admin.job_fault("drops_rows", job=lane)
        world.run()
    assert world.fates()[1] == NEVER


@LANES
@KINDS
def test_D17_a_contact_that_is_right_all_the_same_is_confirmed(
    world: World, lane: str, kind: str
) -> None:
    """By the next run, which sends nothing; with a date, a number of SendGrid's and a cleared text
    compared by their meaning."""
    world.redefine(lane=lane)
    world.add(ANN, first_name="Zoë", phone="+41790000001", status_id=1)
    reject_unseen(world, lane)
    report = world.run(kind)
    assert (report["counts"]["sent"], report["degraded"]) == (0, [])
    assert report["books"]["confirmed"] == 1
    assert world.fates() == {1: "confirmed"}
    assert world.run("full")["counts"]["sent"] == 0
    world.edit(1, first_name="Zoé")
    world.run()
    world.assert_converged()


@LANES
def test_D17_a_refusal_of_sendgrids_own_is_taken_back_only_for_a_right_contact(
    world: World, lane: str
) -> None:
    """With other values it stands, and the client isn't sent before it changes."""
    world.redefine(lane=lane)
    world.add(ANN, first_name="Ann")
    world.run()
    world.emulator.admin.settings(refused_emails={ANN: "no"})
    world.edit(1, first_name="Anna")
    world.run()
    refused = "rejected: contact: refused_by_sendgrid: no"
    assert world.fates() == {1: refused}
    for kind in ("incremental", "full"):
        assert world.run(kind)["counts"]["sent"] == 0
        assert world.fates() == {1: refused}
    world.emulator.admin.settings(refused_emails={})
    world.emulator.admin.put_contacts({"email": ANN, "first_name": "Anna"})
    assert world.run()["counts"]["sent"] == 0
    assert world.fates() == {1: refused}, "it was looked up already"
    world.run("full")
    assert world.fates() == {1: "confirmed"}


@LANES
def test_D17_a_contact_with_other_values_is_sent_again_a_number_of_times(
    world: World, lane: str
) -> None:
    """By itself, with all its tries; then the rejection stands until the client changes."""
    world.redefine(lane=lane)
    world.add(ANN, first_name="Ann")
    world.run()
    world.edit(1, first_name="Anna")
    reject_skipped(world, lane)
    sent = 0
    for _round in range(MAX_RETAKEN * ENOUGH_TRIES + 2):
        world.emulator.admin.job_fault("drops_rows", job=lane)
        sent += world.run("full")["counts"]["to_send"]
    assert (sent, world.fates()) == (MAX_RETAKEN * ENOUGH_TRIES, {1: NEVER})
    world.emulator.admin.clear_faults()
    world.edit(1, first_name="Annabel")
    world.run()
    assert world.fates() == {1: "confirmed"}


def test_D17_once_the_cause_is_over_the_taken_back_client_is_confirmed(world: World) -> None:
    """The same run that takes it back sends it."""
    world.add(ANN, first_name="Ann")
    world.run()
    world.edit(1, first_name="Anna")
    reject_skipped(world, "json")
    assert world.run()["counts"]["sent"] == 1
    assert world.fates() == {1: "confirmed"}
    world.assert_converged()


def test_D17_a_contact_that_is_not_there_proves_nothing(world: World) -> None:
    """The rejection stands, and nobody is asked for it again and again."""
    world.add(ANN)
    reject_skipped(world, "json")
    searches = []
    for _round in range(2):
        assert world.run()["counts"]["sent"] == 0
        searches.append(sum("search" in call["path"] for call in world.emulator.admin.calls()))
    assert world.fates() == {1: NEVER}
    assert searches[0] == searches[1]


def test_D17_a_value_that_b2core_does_not_have_is_another_value(world: World) -> None:
    """A text that somebody typed is no proof that everything was applied."""
    world.add(ANN)
    reject_unseen(world, "json")
    world.emulator.admin.put_contacts({"email": ANN, "city": "Paris"})
    assert world.run()["counts"]["sent"] == 1
    assert "city" not in world.contact(ANN)


def test_D17_off_the_list_is_not_right(world: World) -> None:
    """The list is a part of what B2CORE calls for."""
    world.add(ANN)
    reject_unseen(world, "json")
    ident = world.contacts()[ANN]["id"]
    world.delete_at_sendgrid(f"lists/{world.list_id}/contacts?contact_ids={ident}")
    assert world.run()["counts"]["sent"] == 1
    world.assert_converged()


def test_D17_a_client_that_is_excluded_meanwhile_is_not_brought_back(consenting: World) -> None:
    """Its contact leaves the list."""
    consenting.add(ANN, first_name="Ann")
    reject_unseen(consenting, "json")
    consenting.edit(1, last_name="opted out")
    assert consenting.run()["degraded"] == []
    assert consenting.list_id not in consenting.contacts()[ANN]["list_ids"]


def test_D17_a_former_address_goes_once_the_new_one_is_proved(world: World) -> None:
    """The rejected client had moved; its old contact is removed, as after any confirmation."""
    world.add("old@example.com", first_name="Ann")
    world.run()
    world.edit(1, email=ANN)
    reject_unseen(world, "json")
    world.run()
    assert world.fates() == {1: "confirmed"}
    world.run()
    assert set(world.contacts()) == {ANN}


def test_D17_the_look_ups_of_a_run_are_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits longest comes first."""
    monkeypatch.setattr(rejected_contacts, "MAX_LOOKED_UP", 2)
    world.add_clients(5)
    emails = [f"client{n}@example.com" for n in range(1, 6)]
    world.emulator.admin.settings(refused_emails=dict.fromkeys(emails, "no"))
    world.run()
    world.emulator.admin.settings(refused_emails={})
    values = world_values(world)
    for email in emails:
        contact = {"email": email, **values}
        world.emulator.admin.put_contacts(contact, list_ids=[world.list_id])
    world.state("UPDATE contact_sync.ledger SET looked_up_at = NULL")
    left = []
    for _round in range(3):
        left.append(world.run()["books"]["rejected"])
    assert left == [3, 1, 0]


def world_values(world: World) -> dict[str, object]:
    """What B2CORE calls for of `add_clients`' clients, as a person would type it."""
    world.add("other@example.com", first_name="Zoë", status_id=1)
    world.run()
    found = world.contact("other@example.com")
    custom = found.pop("custom_fields")
    found.pop("email")
    with world.sync() as sync:
        ids = {field.name: field.id for field in sync.sendgrid.fields()}
    return found | {"custom_fields": {ids[name]: value for name, value in custom.items()}}

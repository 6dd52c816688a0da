"""B22: values that SendGrid holds and B2CORE doesn't, because the contact was there before the
sync, or because somebody typed them: a first load and a resend take them away, an ordinary run
doesn't look.

After emartech/magento2-extension#22 and newspack#2779.
"""

from __future__ import annotations

from typing import Any

import pytest

from contact_sync.lookup.explain import explain_client
from contact_sync.reporting.conclusion import conclude
from tests.support.others import put
from tests.support.world import World

ANN = "ann@example.com"
LANES = pytest.mark.parametrize("lane", ["json", "csv"])
CELLS = pytest.mark.parametrize("empty_cell", ["keep", "clear"])
SEARCH = ("POST", "/v3/marketing/contacts/search/emails")


def with_others(world: World) -> tuple[str, str]:
    """Map a Number and a Date, which are empty for whoever has no address; their ids."""
    admin = world.emulator.admin
    ids = admin.create_field("Postal", "Number"), admin.create_field("Born", "Date")
    fields = world.definition.model_dump(mode="json")["fields"]
    world.redefine(fields={**fields, "Postal": "postal_code", "Born": "address_line_2"})
    return ids


@LANES
@CELLS
def test_B22_a_resend_takes_away_what_somebody_typed(
    world: World, lane: str, empty_cell: str
) -> None:
    """Reserved and custom texts; what B2CORE has is put back, what isn't mapped stays."""
    world.emulator.admin.settings(empty_cell=empty_cell)
    world.redefine(lane=lane)
    world.add(ANN, first_name="Ann")
    world.add("bob@example.com", address={"city": "Bern"})
    world.run()
    before = world.contact("bob@example.com")
    with world.sync() as sync:
        jurisdiction = next(
            field.id for field in sync.sendgrid.fields() if field.name == "Jurisdiction"
        )
    typed = {
        "city": "Paris",
        "first_name": "Anja",
        "line": "L1",
        "custom_fields": {jurisdiction: "X"},
    }
    put(world, {"email": ANN, **typed})
    world.edit(1, last_name="Lo")
    world.run()
    if (lane, empty_cell) != ("csv", "clear"):
        assert world.contact(ANN)["city"] == "Paris"
    report = world.run("resend")
    contact = world.contact(ANN)
    assert "city" not in contact
    assert "Jurisdiction" not in contact.get("custom_fields", {})
    assert (contact["first_name"], contact["line"]) == ("Ann", "L1")
    assert world.contact("bob@example.com") == before
    if (lane, empty_cell) == ("csv", "keep"):
        assert report["counts"]["cleared"] == 1
        assert [(job["lane"], job["rows"]) for job in report["jobs"]] == [("csv", 1), ("json", 1)]
    assert world.run()["jobs"] == []


@LANES
@CELLS
def test_B22_a_contact_that_was_there_before_the_first_load_is_made_equal(
    world: World, lane: str, empty_cell: str
) -> None:
    """And one that appears before its client does; the list is of no account for that."""
    world.emulator.admin.settings(empty_cell=empty_cell)
    world.redefine(lane=lane)
    put(world, {"email": ANN, "city": "Paris", "phone_number": "+33123456789"})
    put(world, {"email": "later@example.com", "country": "Chad"}, world.list_id)
    world.add(ANN, first_name="Ann")
    world.run("full")
    assert world.contact(ANN).keys().isdisjoint({"city", "phone_number"})
    world.add("later@example.com")
    world.run()
    assert "country" not in world.contact("later@example.com")
    world.assert_converged()


@LANES
def test_B22_clients_with_negative_ids_are_looked_at_too(world: World, lane: str) -> None:
    """Such as the hash of a uuid: half of all clients with such keys."""
    world.redefine(lane=lane)
    put(world, {"email": ANN, "city": "Paris"})
    world.sql("UPDATE b2core.clients SET id = -id WHERE id = %s", world.add(ANN))
    world.run("full")
    assert "city" not in world.contact(ANN)


@LANES
def test_B22_numbers_and_dates_that_were_there_are_counted_as_stale(
    world: World, lane: str
) -> None:
    """Nobody can empty them: only who holds one is counted, in a first load and in a resend."""
    world.redefine(lane=lane)
    postal, born = with_others(world)
    put(world, {"email": ANN, "custom_fields": {postal: 75001}, "city": "Paris"})
    world.add(ANN)
    world.add("bob@example.com")
    report = world.run()
    assert report["stale"] == {"Postal": 1}
    assert "1 client has values that SendGrid can't clear" in report["degraded"]
    assert "city" not in world.contact(ANN)
    put(world, {"email": "bob@example.com", "custom_fields": {born: "2000-01-31"}})
    report = world.run("resend")
    assert report["stale"] == {"Postal": 1, "Born": 1}
    assert "2 clients have values that SendGrid can't clear" in report["degraded"]
    assert world.run()["stale"] == {}


def test_B22_an_empty_account_is_not_looked_through(world: World) -> None:
    """A first load by CSV asks for the number of contacts, and looks nobody up."""
    world.redefine(lane="csv")
    world.seed()
    assert {job["lane"] for job in world.run()["jobs"]} == {"csv"}
    assert world.calls(*SEARCH) == []
    assert len(world.calls("GET", "/v3/marketing/contacts/count")) == 1
    world.assert_converged()


def test_B22_a_first_load_is_looked_through_by_hundreds_and_stays_a_csv(world: World) -> None:
    """Contacts that were there without other values go by CSV; only one that holds more doesn't."""
    world.redefine(lane="csv")
    emails = world.add_clients(120)
    put(world, {"email": emails[7], "city": "Paris"})
    put(world, {"email": emails[8], "first_name": "Zoë"})
    jobs = world.run()["jobs"]
    assert [(job["lane"], job["rows"]) for job in jobs] == [("csv", 119), ("json", 1)]
    assert len(world.calls(*SEARCH)) == 2
    world.assert_converged()


def test_B22_an_address_that_cannot_be_searched_goes_by_json(world: World) -> None:
    """Nobody can look whether it holds anything: a JSON request empties it unseen."""
    world.redefine(lane="csv")
    long = "a" * 60 + "@" + "b" * 50 + ".example.com"
    put(world, {"email": long, "city": "Paris"})
    world.add(long)
    world.add(ANN)
    jobs = world.run()["jobs"]
    assert [(job["lane"], job["rows"]) for job in jobs] == [("csv", 1), ("json", 1)]
    world.assert_converged()


def test_B22_a_moved_client_inherits_nothing_at_its_new_address(world: World) -> None:
    """The contact there was made by somebody: mapped fields are B2CORE's."""
    client = world.add("old@example.com")
    world.run()
    put(world, {"email": ANN, "city": "Paris"})
    world.edit(client, email=ANN)
    world.run()
    world.assert_converged()


def test_B22_a_run_that_fails_at_first_empties_all_the_same(world: World) -> None:
    """Pending clients are known to be unknown."""
    put(world, {"email": ANN, "city": "Paris"})
    world.add(ANN)
    world.add("bob@example.com")
    fault: dict[str, Any] = {"after_rows": 0}
    world.emulator.admin.job_fault("fails_halfway", **fault)
    world.run()
    world.run()
    world.assert_converged()


@LANES
def test_B22_a_field_that_is_mapped_for_the_first_time_is_made_equal(
    world: World, lane: str
) -> None:
    """What others have written into it is B2CORE's business from now on."""
    world.redefine(lane=lane)
    fields = world.definition.model_dump(mode="json")["fields"]
    world.redefine(fields={name: target for name, target in fields.items() if name != "city"})
    world.add(ANN)
    world.run()
    put(world, {"email": ANN, "city": "Paris"})
    world.run("resend")
    assert world.contact(ANN)["city"] == "Paris"
    world.redefine(fields=fields)
    world.run()
    world.assert_converged()


def test_B22_a_look_up_says_what_a_resend_can_do(world: World) -> None:
    """It empties texts; Number and Date values stay, and the look-up says so."""
    postal, _ = with_others(world)
    client = world.add(ANN)
    world.run()
    put(world, {"email": ANN, "custom_fields": {postal: 75001}})
    with world.sync() as sync:
        assert conclude(explain_client(sync, client, live=sync.sendgrid)).endswith(
            "It still has a value in Postal, which it can't clear."
        )
    put(world, {"email": ANN, "city": "Paris"})
    with world.sync() as sync:
        assert conclude(explain_client(sync, client, live=sync.sendgrid)).endswith(
            "a run with mode resend sends it again, and empties what B2CORE doesn't have, but for "
            "Postal, which it can't clear."
        )
    world.run("resend")
    with world.sync() as sync:
        assert conclude(explain_client(sync, client, live=sync.sendgrid)).endswith(
            "It still has a value in Postal, which it can't clear."
        )


def test_B22_an_account_that_only_seems_empty_is_looked_through_afterwards(world: World) -> None:
    """SendGrid counts new contacts late: the import shows that some were there before."""
    postal, _ = with_others(world)
    put(world, {"email": ANN, "city": "Paris"})
    put(world, {"email": "bob@example.com", "custom_fields": {postal: 75001}})
    world.emulator.admin.settings(count_lag=600)
    world.redefine(lane="csv")
    for email in (ANN, "bob@example.com", "eve@example.com"):
        world.add(email)
    report = world.run()
    assert report["books"]["pending"] == 1
    assert "1 client has values that SendGrid can't clear" in report["degraded"]
    assert world.run()["books"]["pending"] == 0
    assert "city" not in world.contact(ANN)

"""B21: an address is a contact's identity at SendGrid; a client with a new one takes along what
people and other tools have put on the former contact.

After public reports: stackoverflow.com/questions/79354792 ("the same contact list references as the
old one"), grouparoo#1267, twilio-firebase-extensions#41.
"""

from __future__ import annotations

import pytest

from tests.support.others import lists_of, others_of, put
from tests.support.world import World

OLD, NEW = "old@example.com", "new@example.com"
LANES = pytest.mark.parametrize("lane", ["json", "csv"])


@LANES
@pytest.mark.parametrize("policy", ["delete", "unlist", "keep"])
def test_B21_lists_and_foreign_values_go_along(
    world: World, account: dict[str, str], lane: str, policy: str
) -> None:
    """Whatever becomes of the old contact; what is counted is what went along."""
    world.redefine(on_address_change=policy, lane=lane)
    ann, bob = world.add(OLD, first_name="Ann"), world.add("bob@example.com")
    world.run()
    custom = {account["Notes"]: "called", account["Score"]: 7.5, account["Met"]: "2020-02-29"}
    put(world, {"email": OLD, "line": "L1", "custom_fields": custom}, account["vip"])
    had = others_of(world, OLD)
    world.edit(ann, email=NEW)
    world.edit(bob, email="rob@example.com")
    report = world.run()
    assert had == {"Notes": "called", "Score": 7.5, "Met": "2020-02-29T00:00:00Z", "line": "L1"}
    assert (others_of(world, NEW), lists_of(world, NEW)) == (had, {account["vip"]})
    assert (others_of(world, "rob@example.com"), lists_of(world, "rob@example.com")) == ({}, set())
    counts = report["counts"]
    assert (counts["sent"], counts["to_move"], counts["moved"]) == (2, 1, 1)
    assert report["degraded"] == []
    assert (OLD in world.contacts()) == (policy != "delete")
    assert world.state("SELECT count(*) FROM contact_sync.move") == [(0,)]
    last = world.run()
    assert (last["jobs"], "to_move" in last["counts"]) == ([], False)


def test_B21_runs_without_a_new_address_make_no_call_for_it(
    world: World, account: dict[str, str]
) -> None:
    """But the search whether a person has removed the contact. And one with a new address whose
    contact holds nothing more makes no upsert for it."""
    client = world.add(OLD)
    world.run()
    calls = len(world.emulator.admin.calls())
    world.edit(client, first_name="Ana")
    world.run()
    routes = [call["route"] for call in world.emulator.admin.calls()[calls:]]
    assert routes.count("/v3/marketing/contacts/search/emails") == 1
    world.edit(client, email=NEW)
    assert [job["lane"] for job in world.run()["jobs"]] == ["json", "delete"]


def test_B21_a_reserved_field_that_is_not_mapped_goes_along(world: World) -> None:
    """A mapping of names only: city and phone are others' business."""
    world.redefine(fields={})
    client = world.add(OLD)
    world.run()
    put(world, {"email": OLD, "city": "Paris", "phone_number": "+33123456789"})
    world.edit(client, email=NEW)
    world.run()
    contact = world.contact(NEW)
    assert (contact["city"], contact["phone_number"]) == ("Paris", "+33123456789")
    assert set(world.contacts()) == {NEW}


@LANES
def test_B21_B02_a_swap_of_addresses_swaps_what_is_on_the_contacts(
    world: World, account: dict[str, str], lane: str
) -> None:
    """Each person keeps lists and notes; nobody gets the other one's."""
    world.redefine(lane=lane)
    ann, bob = world.add("a@example.com", first_name="Ann"), world.add("b@example.com")
    world.run()
    notes = account["Notes"]
    put(world, {"email": "a@example.com", "custom_fields": {notes: "Ann's"}}, account["vip"])
    put(world, {"email": "b@example.com", "line": "Bob's"}, account["news"])
    world.sql(
        "UPDATE b2core.clients SET email = CASE id WHEN %s THEN %s ELSE %s END",
        ann, "b@example.com", "a@example.com",
    )  # fmt: skip
    world.run()
    assert others_of(world, "b@example.com") == {"Notes": "Ann's"}
    assert others_of(world, "a@example.com") == {"line": "Bob's"}
    assert lists_of(world, "b@example.com") == {account["vip"]}
    assert lists_of(world, "a@example.com") == {account["news"]}
    assert bob in world.fates()
    assert world.run()["jobs"] == []


@LANES
def test_B21_B02_a_chain_and_a_newcomer(world: World, account: dict[str, str], lane: str) -> None:
    """1 takes 2's address, 2 a new one, and a newcomer that of 1: he inherits nothing of 1."""
    world.redefine(lane=lane)
    for number in (1, 2):
        world.add(f"client{number}@example.com")
    world.run()
    notes = account["Notes"]
    for number, name in ((1, "vip"), (2, "news")):
        contact = {"email": f"client{number}@example.com", "custom_fields": {notes: f"of {number}"}}
        put(world, contact, account[name])
    world.sql("UPDATE b2core.clients SET email = 'client' || id + 1 || '@example.com'")
    world.add("client1@example.com", first_name="Neo")
    report = world.run()
    assert others_of(world, "client1@example.com") == {}
    assert lists_of(world, "client1@example.com") == set()
    assert others_of(world, "client2@example.com") == {"Notes": "of 1"}
    assert lists_of(world, "client2@example.com") == {account["vip"]}
    assert others_of(world, "client3@example.com") == {"Notes": "of 2"}
    assert lists_of(world, "client3@example.com") == {account["news"]}
    assert (report["counts"]["removed"], report["degraded"]) == (0, [])


def test_B21_what_is_at_the_new_address_already_is_not_overwritten(
    world: World, account: dict[str, str]
) -> None:
    """Somebody has made the contact before; what it lacks goes along all the same."""
    client = world.add(OLD)
    world.run()
    custom = {account["Notes"]: "old note", account["Score"]: 1}
    put(world, {"email": OLD, "custom_fields": custom}, account["vip"])
    put(world, {"email": NEW, "custom_fields": {account["Notes"]: "theirs"}}, account["news"])
    world.edit(client, email=NEW)
    world.run()
    assert others_of(world, NEW) == {"Notes": "theirs", "Score": 1}
    assert lists_of(world, NEW) == {account["vip"], account["news"]}
    assert set(world.contacts()) == {NEW}


def test_B21_what_cannot_be_moved_is_named_before_anything_is_deleted(
    world: World, account: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Alternate addresses and identifiers belong to one contact; log and report say it."""
    client = world.add(OLD)
    world.run()
    put(world, {"email": OLD, "alternate_emails": ["other@example.com"]}, account["vip"])
    world.edit(client, email=NEW)
    with caplog.at_level("WARNING"):
        report = world.run()
    assert "1 former contact holds alternate_emails, which can't be moved" in caplog.text
    assert report["counts"]["unmovable"] == 1
    assert [what for what in report["degraded"] if "can't be moved" in what]
    assert lists_of(world, NEW) == {account["vip"]}


def test_B21_who_joins_another_clients_address_takes_it_along(
    world: World, account: dict[str, str]
) -> None:
    """The newer client represents the address; what was on the other one's contact goes there."""
    old = world.add(OLD)
    world.add("both@example.com")
    world.run()
    put(world, {"email": OLD, "line": "L1"}, account["vip"])
    world.edit(old, email="both@example.com")
    world.run()
    world.run()
    assert set(world.contacts()) == {"both@example.com"}
    assert others_of(world, "both@example.com") == {"line": "L1"}
    assert lists_of(world, "both@example.com") == {account["vip"]}


def test_B21_what_another_sync_fills_is_left_to_it(world: World, account: dict[str, str]) -> None:
    """It sees the new address itself; its old value must not be put there by this one."""
    client = world.add(OLD, last_name="Lee")
    world.run()
    first = world.definition
    world.redefine(name="second", list="news", fields={"Notes": "last_name"})
    world.run()
    assert lists_of(world, OLD) == {account["news"]}
    world.edit(client, email=NEW, last_name=None)
    second, world.definition = world.definition, first
    world.run()
    assert (others_of(world, NEW), lists_of(world, NEW)) == ({}, set())
    world.definition = second
    world.run()
    world.definition = first
    world.run()
    assert lists_of(world, NEW) == {account["news"]}


def test_B21_the_move_can_be_switched_off(world: World, account: dict[str, str]) -> None:
    """`carry_belongings: false`: the new contact begins without; also what waits is dropped."""
    admin = world.emulator.admin
    client = world.add(OLD)
    world.run()
    put(world, {"email": OLD, "line": "L1"}, account["vip"])
    world.edit(client, email=NEW)
    admin.settings(deprecated_fields="refuse")
    world.run()
    assert OLD in world.contacts()
    world.redefine(carry_belongings=False)
    assert world.run()["degraded"] == []
    assert set(world.contacts()) == {NEW}
    assert (others_of(world, NEW), lists_of(world, NEW)) == ({}, set())

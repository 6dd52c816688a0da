"""A verification tells what isn't equal, names it, and changes nothing."""

from __future__ import annotations

import pytest

from contact_sync.base.verdicts import Count, Verdict
from tests.support.damage import put
from tests.support.erased import erase
from tests.support.hash_keys import HASHING
from tests.support.verified import found_in, in_order, judged, verify
from tests.support.world import World


def clients(world: World, n: int) -> list[int]:
    """Clients with values in several fields."""
    return [
        world.add(
            f"client{number}@example.com", first_name=f"Zoë {number}", status_id=1,
            phone=f"+417900000{number:02}", address={"city": "Zürich", "line1": f"Weg {number}"},
        )
        for number in range(n)
    ]  # fmt: skip


def books(counts: dict[str, int]) -> tuple[int, int]:
    """How many clients there are, and the sum of what is said of them."""
    client = (Verdict.MISSING, Verdict.DIFFERENT, Verdict.OFF_LIST, Verdict.NOT_COMPARABLE)
    other = (Count.EQUAL, Count.WAITING, Count.REJECTED, Count.EXCLUDED, Count.SHARED,
             Count.REMOVED_BY_HAND)  # fmt: skip
    return counts[Count.CLIENTS], sum(counts.get(code, 0) for code in (*client, *other))


def test_what_a_run_has_made_is_equal(world: World) -> None:
    """With shared and bad addresses: each client is accounted for, and nothing is written."""
    world.seed()
    world.run()
    before = world.writes()
    found = verify(world, reason="audit")
    assert found.is_equal
    assert (found.counts[Count.COMPARED], found.counts[Count.EQUAL]) == (4, 4)
    assert (found.counts[Count.SHARED], found.counts[Count.REJECTED]) == (1, 1)
    assert books(found.counts) == (6, 6)
    assert found.b2core_digest == found.sendgrid_digest
    assert (found.holder, found.reason, len(found.export_hash or "")) == ("test", "audit", 64)
    assert world.writes() == before
    assert world.state("SELECT count(*) FROM contact_sync.verify_contact") == [(0,)]
    assert verify(world).b2core_digest == found.b2core_digest


def test_damage_of_every_kind_is_named(consenting: World) -> None:
    """As the oracle and the account's own view say: no more, and no less."""
    world, admin = consenting, consenting.emulator.admin
    world.redefine(on_address_change="unlist")
    ids = clients(world, 12)
    gone = world.add("gone@example.com")
    moved = world.add("moved@example.com")
    opted_out = world.add("out@example.com")
    world.run()
    world.edit(moved, email="new@example.com")
    world.edit(opted_out, last_name="opted out")
    world.sql("DELETE FROM b2core.clients WHERE id = %s", gone)
    world.run()
    world.run()
    assert verify(world).is_equal
    world.state("DELETE FROM contact_sync.verification")

    contacts, other = world.contacts(), admin.create_list("another list")
    admin.put_contacts({"email": "client0@example.com", "first_name": "Edited"})
    admin.put_contacts({"email": "client1@example.com", "city": "", "phone_number": "+41790000099"})
    admin.put_contacts({"email": "client2@example.com", "country": "Narnia"})
    world.delete_at_sendgrid(f"contacts?ids={contacts['client3@example.com']['id']}")
    unlisted = contacts["client4@example.com"]["id"]
    world.delete_at_sendgrid(f"lists/{world.list_id}/contacts?contact_ids={unlisted}")
    admin.put_contacts({"email": "client4@example.com", "city": "Bern"})
    for email in ("out@example.com", "gone@example.com", "moved@example.com", "foe@example.com"):
        admin.put_contacts({"email": email}, list_ids=[world.list_id])
    admin.put_contacts({"email": "foreign@example.com"}, list_ids=[other])
    admin.put_contacts({"email": "client5@example.com"}, list_ids=[other])

    found = verify(world)
    assert not found.is_equal
    told = in_order(found_in(world, found))
    of_clients = in_order(judged(world, excluded={opted_out}))
    assert set(of_clients) == {
        ("different", "client0@example.com"), ("different", "client1@example.com"),
        ("different", "client2@example.com"), ("missing", "client3@example.com"),
        ("off_list", "client4@example.com"),
    }  # fmt: skip
    assert told == of_clients | dict.fromkeys(
        [
            ("excluded_on_list", "out@example.com"), ("deleted_on_list", "gone@example.com"),
            ("former_on_list", "moved@example.com"), ("foreign_on_list", "foe@example.com"),
        ],
        (),
    )  # fmt: skip
    assert found.counts[Count.FOREIGN] == 1
    assert (found.counts[Count.EQUAL], len(ids)) == (8, 12)
    assert books(found.counts) == (14, 14)
    assert found.fields == {"first_name": 1, "city": 2, "phone_number": 1, "country": 1}
    assert found.b2core_digest != found.sendgrid_digest


@pytest.mark.parametrize("forgotten", [True, False])
def test_ghosts_are_contacts_that_should_be_deleted(world: World, forgotten: bool) -> None:
    """An address that a client had, whose contact is there again, off the list; nobody knows of it
    who has lost the state database: then it is foreign."""
    client = world.add("old@example.com")
    world.run()
    world.edit(client, email="new@example.com")
    world.run()
    world.emulator.admin.put_contacts({"email": "old@example.com"})
    if not forgotten:
        world.state(
            """INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id, noted_at)
               SELECT 1, 'old@example.com', hash, %s, now() - interval '1 day'
               FROM (SELECT 1) AS one CROSS JOIN (SELECT %s::bigint AS hash) AS h""",
            client, HASHING.text("old@example.com"),
        )  # fmt: skip
    found = verify(world)
    assert found.counts[Count.FOREIGN] == forgotten
    assert found.counts[Verdict.GHOST] == (not forgotten)
    assert found.is_equal == forgotten


def test_a_contact_of_somebody_erased_is_foreign(world: World) -> None:
    """B2CORE has the client still: it has no right to the address, whoever put it on the list."""
    client = clients(world, 2)[0]
    world.run()
    erase(world, client=str(client))
    put(world, "client0@example.com", first_name="Back")
    assert found_in(world, verify(world)) == {("foreign_on_list", "client0@example.com"): ()}


def test_who_waits_for_a_run_is_no_difference(consenting: World) -> None:
    """Changed, new, moved, excluded and deleted clients that no run has dealt with yet."""
    world = consenting
    ids = clients(world, 6)
    world.run()
    world.edit(ids[0], first_name="Later")
    world.edit(ids[1], email="later@example.com")
    world.edit(ids[2], last_name="opted out")
    world.sql("DELETE FROM b2core.clients WHERE id = %s", ids[3])
    world.add("newcomer@example.com")
    found = verify(world)
    assert found.is_equal
    assert found.counts[Count.WAITING] == 3
    assert found.counts[Count.LEAVING] == 3
    assert (found.counts[Count.EXCLUDED], found.counts[Count.EQUAL]) == (1, 2)
    assert books(found.counts) == (6, 6)
    for _ in range(2):
        world.run()
    found = verify(world)
    assert found.is_equal
    assert (found.counts[Count.WAITING], found.counts[Count.LEAVING]) == (0, 0)


def test_a_sync_that_never_ran_sees_the_account_as_it_is(world: World) -> None:
    """Nobody waits for a run: what an older tool left is compared, client by client."""
    clients(world, 3)
    admin = world.emulator.admin
    admin.put_contacts(
        {"email": "client0@example.com", "first_name": "Zoë 0"}, list_ids=[world.list_id]
    )
    admin.put_contacts({"email": "client1@example.com"})
    found = verify(world)
    assert in_order(found_in(world, found)) == in_order(judged(world))
    assert (found.counts[Verdict.DIFFERENT], found.counts[Verdict.OFF_LIST]) == (1, 1)
    assert found.counts[Verdict.MISSING] == 1

"""B: a contact is its address. Changed, swapped, shared and taken-over addresses."""

from __future__ import annotations

import pytest

from tests.support.world import World

LANES = pytest.mark.parametrize("lane", ["json", "csv"])


def deletions(world: World) -> int:
    """How many deletions were asked for."""
    return sum(call.startswith("DELETE") for call in world.writes())


@LANES
def test_B01_the_old_contact_is_removed_after_the_new_one_exists(world: World, lane: str) -> None:
    """Policy delete: first the upsert, then the deletion; exactly one contact at the end."""
    world.redefine(lane=lane)
    world.seed()
    world.run()
    before = len(world.writes())
    world.edit(5, email="moved@example.com")
    report = world.run()
    assert (report["counts"]["address_changed"], report["counts"]["removed"]) == (1, 1)
    writes = world.writes()[before:]
    assert writes[0].startswith("PUT")
    assert writes[-1].startswith("DELETE")
    world.assert_converged()


def test_B01_the_old_contact_is_kept_if_the_definition_says_so(world: World) -> None:
    """Policy keep: both contacts, no deletion, and none later either."""
    world.redefine(on_address_change="keep")
    world.seed()
    world.run()
    world.edit(5, email="moved@example.com")
    world.run()
    world.redefine(on_address_change="delete")
    world.run()
    assert {"moved@example.com", "client5@example.com"} <= world.contacts().keys()
    assert deletions(world) == 0


def test_B01_the_old_contact_stays_while_the_new_one_is_not_confirmed(world: World) -> None:
    """A failed job removes nothing; the next run sends, then removes."""
    world.seed()
    world.run()
    world.edit(5, email="moved@example.com")
    world.forget_a_job()
    assert world.run()["books"]["pending"] == 1
    assert deletions(world) == 0
    assert "client5@example.com" in world.contacts()
    world.run()
    world.assert_converged()


@LANES
def test_B02_a_swap_of_two_addresses_deletes_nothing(world: World, lane: str) -> None:
    """Both contacts hold the other client's values; what only the former owner had is cleared."""
    world.redefine(lane=lane)
    ann = world.add("a@example.com", first_name="Ann", phone="+41790000001")
    bob = world.add("b@example.com", first_name="Bob", address={"city": "Bern"})
    world.run()
    world.sql(
        "UPDATE b2core.clients SET email = CASE id WHEN %s THEN %s ELSE %s END",
        ann, "b@example.com", "a@example.com",
    )  # fmt: skip
    assert world.run()["counts"]["sent"] == 2
    assert set(world.contacts()) == {"a@example.com", "b@example.com"}
    assert world.contact("a@example.com")["first_name"] == "Bob"
    assert world.contact("b@example.com")["first_name"] == "Ann"
    assert "city" not in world.contact("b@example.com")
    assert bob in world.fates()
    assert deletions(world) == 0
    world.assert_converged()


@LANES
def test_B02_a_chain_of_addresses_leaves_only_the_last_one_to_delete(
    world: World, lane: str
) -> None:
    """1 takes 2's address, 2 takes 3's, 3 gets a new one: only the first one's old one goes."""
    world.redefine(lane=lane)
    for number in range(1, 4):
        world.add(f"client{number}@example.com", first_name=f"N{number}", jurisdiction_id=number)
    world.run()
    world.sql("UPDATE b2core.clients SET email = 'client' || id + 1 || '@example.com'")
    report = world.run()
    assert report["counts"]["removed"] == 1
    assert sorted(world.contacts()) == [f"client{n}@example.com" for n in (2, 3, 4)]
    world.assert_converged()


@LANES
@pytest.mark.parametrize("same_run", [True, False], ids=["same run", "later"])
def test_B05_a_newcomer_takes_over_a_former_address(
    world: World, lane: str, same_run: bool
) -> None:
    """The contact holds nothing of its former owner, and it is not deleted."""
    world.redefine(lane=lane, on_address_change="delete" if same_run else "keep")
    ann = world.add("a@example.com", phone="+41790000001", address={"city": "Bern"},
                    jurisdiction_id=1)  # fmt: skip
    world.run()
    world.edit(ann, email="moved@example.com")
    if not same_run:
        world.run()
    world.add("a@example.com", first_name="Neo")
    world.run()
    contact = world.contact("a@example.com")
    assert contact["first_name"] == "Neo"
    assert contact.keys().isdisjoint({"phone_number", "city"})
    assert "Jurisdiction" not in contact["custom_fields"]
    world.assert_converged()


@LANES
def test_B04_of_two_clients_with_one_address_the_newest_wins(world: World, lane: str) -> None:
    """The higher id, whatever the order of rows and edits; the other one is named as excluded."""
    world.redefine(lane=lane)
    old = world.add("shared@example.com", first_name="Old", phone="+41790000001")
    new = world.add(" Shared@example.com", first_name="New")
    report = world.run()
    assert report["exclusions"] == {"shared_address": 1}
    assert world.fates() == {old: "shared", new: "confirmed"}
    for kind in ("incremental", "full", "resend"):
        world.edit(old, first_name=f"Old {kind}")
        world.run(kind)
        world.assert_converged()
    assert "Old" not in world.sent()


def test_B04_a_newcomer_with_a_known_address_takes_it(world: World) -> None:
    """The contact changes hands: what only the older client had is cleared."""
    old = world.add("shared@example.com", first_name="Old", phone="+41790000001")
    world.run()
    world.add("shared@example.com", first_name="New")
    world.run()
    assert world.fates()[old] == "shared"
    assert "phone_number" not in world.contact("shared@example.com")
    world.assert_converged()


@LANES
@pytest.mark.parametrize("leaves", ["moves", "is deleted", "loses its address"])
def test_B05_when_the_winner_leaves_the_other_client_appears(
    world: World, leaves: str, lane: str
) -> None:
    """The remaining client's own rows never changed; its data is at SendGrid after one run."""
    world.redefine(lane=lane)
    world.add("shared@example.com", first_name="Old")
    new = world.add("shared@example.com", first_name="New", phone="+41790000001")
    world.run()
    if leaves == "moves":
        world.edit(new, email="moved@example.com")
    elif leaves == "is deleted":
        world.sql("DELETE FROM b2core.clients WHERE id = %s", new)
    else:
        world.edit(new, email=None)
    world.run()
    world.assert_converged()
    assert world.run()["counts"]["sent"] == 0


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ("Foo@Example.COM", "foo@example.com"),
        (" \tfoo@example.com\n", "foo@example.com"),
        ("a.b+tag@example.com", "a.b+tag@example.com"),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
        ("ann@bu\u0308cher.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
    ],
)
def test_B06_B07_case_white_space_and_idn_give_one_contact(
    world: World, raw: str, key: str
) -> None:
    """The key is the one that SendGrid stores; writing it differently later changes nothing."""
    client = world.add(raw)
    world.run()
    assert set(world.contacts()) == {key}
    world.edit(client, email=key)
    assert world.run()["counts"]["sent"] == 0
    assert deletions(world) == 0


@pytest.mark.parametrize("trouble", ["failed job", "refused"])
@pytest.mark.parametrize("former", ["has it still", "has moved"])
def test_B05_a_take_over_that_fails_at_first_clears_all_the_same(
    world: World, former: str, trouble: str
) -> None:
    """Whatever became of the first try, nothing of the former owner stays in the contact."""
    old = world.add("a@example.com", phone="+41790000001", jurisdiction_id=1)
    world.run()
    if former == "has moved":
        world.edit(old, email="moved@example.com")
    new = world.add("a@example.com", first_name="Neo")
    if trouble == "failed job":
        world.emulator.admin.job_fault("fails_halfway", after_rows=0)
        assert world.run()["books"]["confirmed"] >= 1  # sent again in the same run
    else:
        world.refuse("a@example.com")
        assert world.run()["books"]["rejected"] == 1
        world.edit(new, first_name="Neo 2")
    world.run()
    assert "phone_number" not in world.contact("a@example.com")
    world.assert_converged()

"""A client's address becomes empty or invalid in B2CORE: its contact doesn't stay for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from contact_sync.base.errors import FatalError
from tests.support.consents import opt_out_column
from tests.support.world import World

EMAILS = pytest.mark.parametrize("email", [None, "", "not an address", "a@b, c@d"])


@EMAILS
@pytest.mark.parametrize("kind", ["incremental", "full"])
def test_R04_the_contact_of_a_client_without_an_address_goes(
    world: World, email: str | None, kind: str
) -> None:
    """As one of a former address does; the client is rejected, and comes back with an address."""
    client, _ = world.add("ann@example.com"), world.add("bob@example.com")
    world.run()
    world.edit(client, email=email)
    plan = world.run(kind, dry_run=True)
    report = world.run(kind)
    assert plan["counts"]["to_remove"] == report["counts"]["to_remove"] == 1
    assert report["counts"]["removed"] == 1
    assert report["books"]["rejected"] == 1
    assert set(world.contacts()) == {"bob@example.com"}
    again = world.run("full")["counts"]
    assert (again["to_remove"], again["sent"]) == (0, 0)
    world.edit(client, email="ann@example.com")
    assert world.run()["counts"]["sent"] == 1
    world.assert_converged()


@pytest.mark.parametrize("policy", ["unlist", "keep"])
def test_R04_the_definition_may_say_otherwise(world: World, policy: str) -> None:
    """Taken off the list only, or nothing at all."""
    world.redefine(on_address_lost=policy)
    client = world.add("ann@example.com")
    world.run()
    world.edit(client, email=None)
    world.run()
    lists = world.contacts()["ann@example.com"]["list_ids"]
    assert lists == ([] if policy == "unlist" else [world.list_id])
    assert world.run("full")["counts"]["to_remove"] == 0


def test_R04_an_address_that_another_client_has_stays(world: World) -> None:
    """It is that one's contact now."""
    client = world.add("ann@example.com")
    world.run()
    world.edit(client, email="")
    other = world.add("ann@example.com", first_name="Other")
    world.run()
    world.run("full")
    assert world.contact("ann@example.com")["first_name"] == "Other"
    assert world.fates()[other] == "confirmed"


def test_R04_many_lost_addresses_need_a_person(world: World) -> None:
    """An UPDATE without WHERE isn't believed."""
    world.redefine(limits={"removals": {"contacts": 2, "share": 0}})
    for n in range(3):
        world.add(f"client{n}@example.com")
    world.run()
    world.sql("UPDATE b2core.clients SET email = NULL")
    with pytest.raises(FatalError, match="3 contacts would be removed, the limit is 2"):
        world.run()
    assert len(world.contacts()) == 3
    world.sql("UPDATE b2core.clients SET email = 'client' || id - 1 || '@example.com'")
    world.run()
    world.assert_converged()


def test_R04_who_is_excluded_and_has_no_address_is_treated_as_excluded(
    world: World, tmp_path: Path
) -> None:
    """Before anything is sent."""
    world.sql_folder = opt_out_column(world.sql_folder, tmp_path / "b2core")
    client = world.add("ann@example.com")
    world.run()
    world.edit(client, email=None, last_name="opted out")
    report = world.run()
    assert report["counts"]["unlisted"] == 1
    assert world.contacts()["ann@example.com"]["list_ids"] == []


@EMAILS
def test_R04_who_is_excluded_from_the_start_without_an_address_is_looked_up_nowhere(
    world: World, tmp_path: Path, email: str | None
) -> None:
    """SendGrid refuses a search for what is no address; the others are looked up."""
    world.sql_folder = opt_out_column(world.sql_folder, tmp_path / "b2core")
    world.emulator.admin.put_contacts({"email": "ann@example.com"}, list_ids=[world.list_id])
    world.add("ann@example.com", last_name="opted out")
    world.add(email, last_name="opted out")
    world.add("bob@example.com")
    world.run()
    assert world.contacts()["ann@example.com"]["list_ids"] == []
    assert world.run()["degraded"] == []


def test_R04_an_opt_out_outlasts_the_time_without_an_address(world: World) -> None:
    """The former address is unsubscribed; so is the next one, before it is uploaded."""
    client = world.add("ann@example.com")
    world.run()
    world.emulator.admin.suppress("ann@example.com")
    world.edit(client, email=None)
    world.run()
    assert world.contacts() == {}
    world.edit(client, email="new@example.com")
    world.run()
    assert "new@example.com" in world.emulator.admin.suppressions()
    assert set(world.contacts()) == {"new@example.com"}

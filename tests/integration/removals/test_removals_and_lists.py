"""Lists that the definition leaves and comes back to, and contacts that two syncs share."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from contact_sync.base.errors import AuthError
from tests.support.world import LIST_NAME, World, define

UNLIST = "/v3/marketing/lists/{list_id}/contacts"
JOB = "/v3/marketing/contacts/imports/{job_id}"


def go_to(world: World, name: str) -> str:
    """Have the definition name another list, with policy unlist; returns its id."""
    world.redefine(
        list=name, on_list_change="unlist",
        deadlines={"job_hours": 0.0002, "quarantine_minutes": 0},
    )  # fmt: skip
    return world.emulator.admin.create_list(name)


def test_F08_nobody_is_taken_off_a_list_that_is_the_syncs_again(world: World) -> None:
    """To another list and back, while taking everybody off the first one is unfinished."""
    for n in range(3):
        world.add(f"client{n}@example.com")
    world.run()
    go_to(world, "The other one")
    world.emulator.admin.job_fault("never_starts", job="list_removal")
    assert any("could not be removed" in what for what in world.run()["degraded"])
    world.redefine(list="B2CORE clients", on_list_change="unlist")
    world.run()
    assert world.run()["jobs"] == []
    assert [c["list_ids"] for c in world.contacts().values()] == [[world.list_id]] * 3
    world.assert_converged()


def test_F08_a_list_that_only_a_failed_run_filled_is_left_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From A to B, where the run fails after sending, to C: nobody stays on A or B."""
    monkeypatch.setattr("contact_sync.run.settle_earlier_runs.POLL_SECONDS", 1.0)
    for n in range(3):
        world.add(f"client{n}@example.com")
    world.run()
    go_to(world, "B")
    world.emulator.admin.fault("GET", JOB, status=403)
    with pytest.raises(AuthError):
        world.run()
    world.list_id = go_to(world, "C")
    world.run()
    assert [c["list_ids"] for c in world.contacts().values()] == [[world.list_id]] * 3
    world.assert_converged()
    assert world.run()["jobs"] == []


def only(folder: Path, copy: Path, condition: str) -> Path:
    """A copy of the source's SQL with fewer clients."""
    shutil.copytree(folder, copy)
    for name, word in (("scan.sql", "WHERE"), ("clients.sql", "AND")):
        text = (copy / name).read_text(encoding="utf-8")
        (copy / name).write_text(f"{text}\n{word} {condition}\n", encoding="utf-8")
    return copy


@pytest.mark.parametrize("same_list", [True, False], ids=["same list", "lists of their own"])
def test_P13_a_contact_that_another_sync_holds_is_not_deleted(
    world: World, tmp_path: Path, same_list: bool
) -> None:
    """Two syncs with one state database: the one that still needs the contact keeps it."""
    mine, others = world.add("both@example.com"), world.add("both@example.com")
    folder = world.sql_folder
    world.sql_folder = only(folder, tmp_path / "mine", f"clients.id = {mine}")
    theirs = world.list_id if same_list else world.emulator.admin.create_list("Theirs")
    other = replace(
        world,
        definition=define(name="other", list="B2CORE clients" if same_list else "Theirs"),
        list_id=theirs,
        sql_folder=only(folder, tmp_path / "theirs", f"clients.id = {others}"),
    )
    world.run()
    other.run()
    world.edit(mine, email="new@example.com")
    assert world.run()["counts"]["removed"] == 0
    assert world.contacts()["both@example.com"]["list_ids"] == [theirs]
    other.edit(others, email="last@example.com")
    other.run()
    world.run()
    assert set(world.contacts()) == {"new@example.com", "last@example.com"}


def test_B04_F01_an_excluded_newcomers_address_leaves_the_list_whoever_had_it(
    consenting: World,
) -> None:
    """Its former owner's new address is no address, so that nothing has replaced its contact: it is
    the excluded client's address all the same."""
    former = consenting.add("ben@example.com")
    consenting.run()
    consenting.edit(former, email="no address")
    newcomer = consenting.add("ben@example.com", last_name="opted out")
    consenting.run()
    consenting.assert_converged(unlisted={"ben@example.com"}, excluded={newcomer})
    consenting.edit(former, email="new@example.com")
    consenting.run()
    consenting.assert_converged(unlisted={"ben@example.com"}, excluded={newcomer})


def test_F01_a_former_lists_members_are_taken_off_it(world: World) -> None:
    """The contacts stay; also when one vanished between look-up and call."""
    world.redefine(on_list_change="unlist")
    world.add_clients(3)
    world.run()
    former = world.list_id
    world.list_id = world.emulator.admin.create_list("Another list")
    world.redefine(list="Another list")
    world.emulator.admin.fault("DELETE", UNLIST, status=404)
    world.run("full")
    held = world.contacts()
    assert len(held) == 3
    assert all(former not in contact["list_ids"] for contact in held.values())
    assert all(world.list_id in contact["list_ids"] for contact in held.values())


@pytest.mark.parametrize("between", ["Another list", None])
def test_F01_S13_who_was_excluded_meanwhile_is_not_on_a_list_that_is_taken_again(
    consenting: World, between: str | None
) -> None:
    """That the contact was off the other list, or on none, says nothing of this one: somebody may
    have put it there again."""
    first, policy = consenting.list_id, "unlist" if between else "keep"
    client, _ = consenting.add("ann@example.com"), consenting.add("bob@example.com")
    consenting.run()
    consenting.emulator.admin.create_list("Another list")
    consenting.redefine(list=between, on_exclusion=policy, on_client_deleted="keep")
    consenting.run()
    consenting.edit(client, last_name="opted out")
    consenting.run()
    assert consenting.contacts()["ann@example.com"]["list_ids"] == ([] if between else [first])
    consenting.emulator.admin.put_contacts({"email": "ann@example.com"}, list_ids=[first])
    consenting.redefine(list=LIST_NAME, on_exclusion="unlist")
    report = consenting.run()
    assert consenting.contacts()["ann@example.com"]["list_ids"] == []
    assert report["counts"]["unlisted"] == (2 if between else 1)  # the other list is a former one


def test_F01_a_former_list_that_is_gone_needs_nothing(world: World) -> None:
    """404 and no such list: the batch is settled."""
    world.redefine(on_list_change="unlist")
    world.add_clients(2)
    world.run()
    world.emulator.admin.create_list("Another list")
    world.redefine(list="Another list")
    world.delete_at_sendgrid(f"lists/{world.list_id}")
    report = world.run("full")
    assert [job["outcome"] for job in report["jobs"] if job["lane"] == "unlist"] == ["list_gone"]


@pytest.mark.parametrize("when", ["in the same run", "two lists later"])
def test_F01_who_is_excluded_leaves_the_lists_of_before_too(consenting: World, when: str) -> None:
    """Everybody else stays on them, as policy `keep` says."""
    world = consenting
    out, stays = world.add("out@example.com"), world.add("stays@example.com")
    world.run()
    lists = {world.list_id}
    for name in ("Second", "Third"):
        lists.add(world.emulator.admin.create_list(name))
        world.redefine(list=name)
        if when == "in the same run":
            break
        world.run()
    world.edit(out, last_name="opted out")
    assert world.run()["degraded"] == []
    contacts = world.contacts()
    assert contacts["out@example.com"]["list_ids"] == []
    assert set(contacts["stays@example.com"]["list_ids"]) == lists
    assert world.fates()[stays] == "confirmed"
    assert world.run()["jobs"] == []

"""Consents that come and go at a shared address, and contacts of excluded clients from before."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from contact_sync.base.errors import FatalError
from contact_sync.run.sending import excluded_contacts
from tests.support.world import World

BOTH = "both@example.com"
OUT: dict[str, Any] = {"last_name": "opted out"}
BACK: dict[str, Any] = {"last_name": "Lee"}
FEW = {"removals": {"contacts": 2, "share": 0.0}, "changes": {"contacts": 1000, "share": 1.0}}
SEARCH = "POST /v3/marketing/contacts/search"


@pytest.fixture(params=["xmin", "updated_at"])
def shared(consenting: World, request: pytest.FixtureRequest) -> World:
    """Three clients of one address and one of another, sent long ago; no change shows in
    `updated_at`, so that this detection sees nothing but the scan."""
    source = {"change_detection": request.param, "overlap_minutes": 1}
    consenting.redefine(source=source)
    for email in (BOTH, BOTH, BOTH, "ann@example.com"):
        consenting.add(email)
    consenting.sql("UPDATE b2core.clients SET updated_at = now() - interval '1 hour'")
    consenting.run()
    return consenting


def excluded(world: World) -> set[int]:
    """Who has opted out."""
    query = "SELECT id FROM b2core.clients WHERE last_name = 'opted out'"
    return {row[0] for row in world.sql(query)}


def is_listed(world: World, email: str) -> bool:
    """Whether the contact is there and on the sync's list."""
    return world.list_id in world.contacts().get(email, {}).get("list_ids", [])


def assert_carried_out(world: World, report: dict[str, Any]) -> None:
    """The run was an incremental one, and all exclusions are done."""
    assert (report["kind"], report["degraded"]) == ("incremental", [])
    world.assert_converged(unlisted=None, excluded=excluded(world))


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))), ids=str)
def test_B04_F01_consents_at_a_shared_address_come_and_go_in_any_order(
    shared: World, order: tuple[int, int, int]
) -> None:
    """Whoever withdraws, in the very next run: the contact is off the list until the last of them
    consents again."""
    for client in order[:2]:
        shared.edit(client, **OUT)
        assert_carried_out(shared, shared.run())
        assert not is_listed(shared, BOTH)
    for client in order[:2]:
        shared.edit(client, **BACK)
        assert_carried_out(shared, shared.run())
    assert is_listed(shared, BOTH)


def test_B04_F01_the_exclusion_moves_from_one_client_to_another(shared: World) -> None:
    """At no moment may the address be sent; who is excluded for what is known all the time."""
    shared.edit(1, **OUT)
    shared.run()
    sent = shared.sent().count(BOTH)
    shared.edit(1, **BACK)
    shared.edit(3, **OUT)
    assert_carried_out(shared, shared.run())
    assert shared.sent().count(BOTH) == sent
    by_itself, by_address = "excluded: excluded_by_b2core: no consent", "excluded: excluded_address"
    assert [shared.fates()[client] for client in (1, 2, 3)] == [by_address, by_address, by_itself]
    shared.edit(3, email="elsewhere@example.com")
    assert_carried_out(shared, shared.run())
    assert shared.sent().count(BOTH) == sent + 1


def test_B04_F01_an_opted_out_newcomer_takes_the_address_off_the_list(shared: World) -> None:
    """And gives it back when it is gone."""
    newcomer = shared.add(BOTH, **OUT)
    assert_carried_out(shared, shared.run())
    assert not is_listed(shared, BOTH)
    shared.sql("DELETE FROM b2core.clients WHERE id = %s", newcomer)
    shared.run()
    shared.assert_converged()


def test_B04_F01_a_rejected_representative_that_opts_out(shared: World) -> None:
    """Its own value was at fault; now nobody may be sent at its address."""
    shared.refuse(BOTH)
    shared.edit(3, first_name="Changed", updated_at="2099-01-01")
    assert shared.run()["books"]["rejected"] == 1
    shared.edit(3, **OUT)
    assert_carried_out(shared, shared.run())
    assert not is_listed(shared, BOTH)


def test_B04_F01_a_client_that_is_gone_protects_no_excluded_address(shared: World) -> None:
    """Its ledger row stays until the second look, the contact doesn't stay on the list."""
    shared.sql("DELETE FROM b2core.clients WHERE id IN (2, 3)")
    shared.edit(1, **OUT)
    shared.run()
    assert not is_listed(shared, BOTH)
    shared.add("ann@example.com", **OUT)
    shared.sql("DELETE FROM b2core.clients WHERE id = 4")
    shared.run()
    assert not is_listed(shared, "ann@example.com")


def test_B04_a_run_without_news_looks_at_nobody(shared: World) -> None:
    """Whatever the fates are: a rejected one, shared ones, excluded ones by themselves and by
    another."""
    shared.add("not an address")
    shared.add("ann@example.com", **OUT)
    shared.run()
    if shared.definition.source.change_detection == "updated_at":
        shared.sql("UPDATE b2core.clients SET updated_at = now() - interval '1 hour'")
        assert shared.run()["counts"].get("read", 0) == 0
    searches = len(
        [c for c in shared.emulator.admin.calls() if SEARCH in f"{c['method']} {c['path']}"]
    )
    shared.run()
    again = len(
        [c for c in shared.emulator.admin.calls() if SEARCH in f"{c['method']} {c['path']}"]
    )
    assert again == searches


@pytest.fixture
def imported(consenting: World) -> World:
    """Five contacts are on the list, from an older import; their clients have opted out."""
    for n in range(5):
        email = f"old{n}@example.com"
        consenting.emulator.admin.put_contacts({"email": email}, list_ids=[consenting.list_id])
        consenting.add(email, **OUT)
    consenting.emulator.admin.put_contacts({"email": "other@example.com"})
    consenting.add("other@example.com", **OUT)
    consenting.add("bob@example.com")
    return consenting


@pytest.mark.parametrize("kind", ["full", "incremental"])
@pytest.mark.parametrize("policy", ["unlist", "delete"])
def test_F01_who_was_excluded_before_the_first_run_is_looked_up_and_removed(
    imported: World, policy: str, kind: str
) -> None:
    """Once: the next run doesn't look again. Who isn't on the list isn't touched."""
    imported.redefine(on_exclusion=policy)
    report = imported.run(kind)
    assert report["degraded"] == []
    old = {f"old{n}@example.com" for n in range(5)}
    assert report["counts"]["unlisted" if policy == "unlist" else "removed"] == 5
    left = old if policy == "unlist" else set()
    imported.assert_converged(unlisted=left | {"other@example.com"}, excluded=excluded(imported))
    calls = len(imported.emulator.admin.calls())
    imported.run("full")
    assert not any("search" in c["path"] for c in imported.emulator.admin.calls()[calls:])


def test_F01_policy_keep_looks_nobody_up(imported: World) -> None:
    """The definition wants them to stay."""
    imported.redefine(on_exclusion="keep")
    assert imported.run()["degraded"] == []
    assert all(is_listed(imported, f"old{n}@example.com") for n in range(5))


def test_F01_the_look_ups_of_a_run_are_bounded_and_the_rest_is_told(
    imported: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three a run: two runs say that some are left, the third has none."""
    monkeypatch.setattr(excluded_contacts, "MAX_LOOKED_UP", 2)
    told = []
    for _round in range(3):
        told.append(
            [
                w
                for w in imported.run()["degraded"]
                if "isn't looked up" in w or "aren't looked up" in w
            ]
        )
    assert [bool(what) for what in told] == [True, True, False]
    assert told[0][0].startswith("4 addresses")
    assert not any(is_listed(imported, f"old{n}@example.com") for n in range(5))


def test_G5_too_many_of_them_wait_for_a_person(imported: World) -> None:
    """They count in the plan as every other removal does."""
    imported.redefine(limits=FEW)
    with pytest.raises(FatalError, match="5 contacts would be removed, the limit is 2"):
        imported.run()
    assert all(is_listed(imported, f"old{n}@example.com") for n in range(5))
    assert imported.run(approve=True)["counts"]["unlisted"] == 5


def test_F01_a_lost_state_database_forgets_no_exclusion(consenting: World) -> None:
    """The new one doesn't know that the excluded client has ever been sent."""
    client = consenting.add("ann@example.com")
    consenting.add("bob@example.com")
    consenting.run()
    consenting.state("TRUNCATE contact_sync.ledger")
    consenting.edit(client, **OUT)
    report = consenting.run("full")
    assert not is_listed(consenting, "ann@example.com")
    assert report["degraded"] == []


def test_F06_an_address_that_sendgrid_cannot_search_is_told_by_every_run(
    consenting: World,
) -> None:
    """Nobody can know whether it has a contact."""
    consenting.add(f"{'a' * 60}@{'b' * 50}.example.com", **OUT)
    consenting.add("bob@example.com")
    for _round in range(2):
        assert any("doesn't search its address" in what for what in consenting.run()["degraded"])


def test_F01_an_exclusion_that_is_not_carried_out_is_told_by_every_run(
    consenting: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when its removal isn't even tried."""
    monkeypatch.setattr("contact_sync.run.sending.removal_targets.SHOWN_SECONDS", 0.2)
    client = consenting.add("ann@example.com")
    consenting.add("bob@example.com")
    consenting.run()
    consenting.emulator.admin.settings(list_removal_effect="nothing")
    consenting.edit(client, **OUT)
    for _round in range(7):
        told = consenting.run()["degraded"]
        assert any(what.startswith("1 address of excluded clients") for what in told)

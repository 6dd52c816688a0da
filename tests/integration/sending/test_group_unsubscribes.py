"""B03: an unsubscribe from a group belongs to an address, too, and follows the client."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.support.allowed_calls import AS_TEST
from tests.support.world import API_KEY, World

OLD, NEW = "old@example.com", "new@example.com"
KEY = {"Authorization": f"Bearer {API_KEY}", **AS_TEST}
GROUPS = "/v3/asm/groups"


def members(world: World, group: int) -> set[str]:
    """The addresses that are unsubscribed from a group."""
    url = f"{world.emulator.base_url}{GROUPS}/{group}/suppressions"
    return set(requests.get(url, headers=KEY, timeout=10).json())


def unsubscribe(world: World, group: int, *emails: str) -> None:
    """As a person does by the link in a mail."""
    url = f"{world.emulator.base_url}{GROUPS}/{group}/suppressions"
    body = {"recipient_emails": list(emails)}
    requests.post(url, headers=KEY, json=body, timeout=10).raise_for_status()


def moved(world: World) -> tuple[int, int, int]:
    """A client who left one of two groups and has just got another address: it and the groups."""
    admin = world.emulator.admin
    left, other = admin.create_group(), admin.create_group()
    client = world.add(OLD)
    world.run()
    unsubscribe(world, left, OLD)
    world.edit(client, email=NEW)
    return client, left, other


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_B03_the_unsubscribe_of_a_group_follows_the_client(world: World, lane: str) -> None:
    """Before the new address is uploaded, and for this group only; the old one stays out of it."""
    world.redefine(lane=lane)
    _, left, other = moved(world)
    calls = len(world.writes())
    world.run()
    assert world.writes()[calls] == f"POST {GROUPS}/{left}/suppressions"
    assert (members(world, left), members(world, other)) == ({OLD, NEW}, set())
    assert world.emulator.admin.suppressions() == {}
    world.assert_converged()


def test_B03_groups_and_the_global_unsubscribe_follow_together(world: World) -> None:
    """One of them doesn't stand for the other: they are lifted apart."""
    _, left, other = moved(world)
    unsubscribe(world, other, OLD)
    world.emulator.admin.suppress(OLD)
    world.run()
    assert members(world, left) == members(world, other) == {OLD, NEW}
    assert set(world.emulator.admin.suppressions()) == {OLD, NEW}


@pytest.mark.parametrize(
    ("method", "route", "reason"),
    [
        ("GET", GROUPS, "suppression_unknown"),
        ("GET", "/v3/asm/suppressions/{email}", "suppression_unknown"),
        ("POST", f"{GROUPS}/{{group_id}}/suppressions", "suppression_not_carried"),
    ],
)
def test_B03_a_key_without_the_scope_of_groups_holds_the_client(
    world: World, method: str, route: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not sent, told with what helps, and sent when the key may."""
    client, left, _ = moved(world)
    world.emulator.admin.fault(method, route, status=403)
    with caplog.at_level("WARNING"):
        report = world.run()
    assert world.fates()[client] == f"pending: {reason}"
    assert NEW not in world.contacts()
    assert "Give the key the scope" in caplog.text
    assert report["degraded"]
    world.run()
    assert members(world, left) == {OLD, NEW}
    world.assert_converged()


def test_B03_many_moved_clients_are_looked_up_in_each_group(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call a group instead of one a client."""
    monkeypatch.setattr("contact_sync.run.sending.suppressions.MAX_SINGLE_LOOKUPS", 2)
    groups = [world.emulator.admin.create_group() for _ in range(2)]
    for n in range(4):
        world.add(f"old{n}@example.com")
    world.run()
    unsubscribe(world, groups[1], "old2@example.com", "stranger@example.com")
    world.sql("UPDATE b2core.clients SET email = replace(email, 'old', 'new')")
    world.run()
    asked: list[dict[str, Any]] = world.calls("POST", f"{GROUPS}/{{group_id}}/suppressions/search")
    assert len(asked) == 2
    assert members(world, groups[0]) == set()
    assert members(world, groups[1]) == {
        "old2@example.com", "new2@example.com", "stranger@example.com",
    }  # fmt: skip
    world.assert_converged()


def test_B03_an_account_without_groups_is_asked_once(world: World) -> None:
    """No call for each moved client."""
    client = world.add(OLD)
    world.run()
    world.edit(client, email=NEW)
    world.run()
    assert len(world.calls("GET", GROUPS)) == 1
    assert world.calls("GET", "/v3/asm/suppressions/{email}") == []

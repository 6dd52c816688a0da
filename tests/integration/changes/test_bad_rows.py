"""Clients that can't or mustn't be sent: rejected or excluded, with the reason, never lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.consents import opt_out_column
from tests.support.world import World


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        (None, "missing"),
        ("  ", "missing"),
        ("not an address", "invalid"),
        ("a@b", "invalid"),
        ("two@at@example.com", "invalid"),
        ("x" * 65 + "@example.com", "invalid"),
        ("cyrillic\u043e@example.com", "not_ascii"),
        ("ann@ex\u0430mple.com", "look_alike_domain"),
        ("ann@example.com; bob@example.com", "two_addresses"),
    ],
)
def test_B07_a_missing_or_invalid_address_is_rejected_until_it_is_mended(
    world: World, email: str | None, reason: str
) -> None:
    """Named with field and reason in the books; sent as soon as the row changes."""
    bad = world.add(email)
    world.add("ann@example.com")
    report = world.run()
    assert report["rejections"] == {f"email: {reason}": 1}
    assert (report["books"]["rejected"], report["books"]["confirmed"]) == (1, 1)
    named = [f"U+{ord(char):04X}" for char in email or "" if not char.isascii()]
    detail = world.state("SELECT detail FROM contact_sync.ledger WHERE client_id = %s", bad)
    assert detail == [(", ".join(named) or None,)]
    assert world.fates()[bad] == ": ".join(["rejected", "email", reason, *named])
    assert set(world.contacts()) == {"ann@example.com"}
    assert world.run()["books"]["rejected"] == 1
    world.edit(bad, email="fixed@example.com")
    assert world.run()["counts"]["sent"] == 1
    world.assert_converged()


def test_B09_B11_B15_a_bad_optional_value_is_dropped_and_counted(world: World) -> None:
    """Policy drop: the client is sent without the value."""
    world.add("ann@example.com", phone="call me", first_name="x" * 51)
    report = world.run()
    assert report["dropped"] == {"phone_number: no_number": 1, "first_name: too_long": 1}
    contact = world.contact("ann@example.com")
    assert "phone_number" not in contact
    assert contact["first_name"] == "x" * 50


@pytest.mark.parametrize(
    ("field", "target", "why"),
    [
        ("phone_number", {"column": "phone", "on_bad_value": "reject"}, "phone_number: no_number"),
        ("first_name", {"column": "first_name", "on_too_long": "reject"}, "first_name: too_long"),
    ],
)
def test_B09_B11_B15_a_bad_value_rejects_the_client_if_the_definition_says_so(
    world: World, field: str, target: dict[str, str], why: str
) -> None:
    """Policy reject: nothing of the client leaves."""
    fields = world.definition.model_dump(mode="json")["fields"]
    world.redefine(fields={**fields, field: target})
    world.add("ann@example.com", phone="call me", first_name="x" * 51)
    report = world.run()
    assert report["rejections"] == {why: 1}
    assert report["books"]["rejected"] == 1
    assert world.contacts() == {}


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_F01_an_excluded_client_is_never_uploaded(world: World, tmp_path: Path, lane: str) -> None:
    """G4: first load, change, full run, resend: no byte of the client leaves; its reason shows."""
    exclude(world, tmp_path)
    world.redefine(lane=lane)
    out = world.add("secret@example.com", last_name="opted out", first_name="Secret")
    world.add("ann@example.com")
    report = world.run()
    assert report["exclusions"] == {"excluded_by_b2core: no consent": 1}
    assert report["books"]["excluded"] == 1
    world.edit(out, first_name="Secret too")
    for kind in ("incremental", "full", "resend"):
        world.run(kind)
    assert "secret" not in world.sent().lower()
    assert set(world.contacts()) == {"ann@example.com"}
    world.edit(out, last_name="opted in")
    assert world.run()["counts"]["sent"] == 1
    assert "secret@example.com" in world.contacts()


def test_B04_an_exclusion_counts_for_everyone_with_the_address(
    world: World, tmp_path: Path
) -> None:
    """B4: any opt-out on a shared address wins, whichever client it is on."""
    exclude(world, tmp_path)
    world.add("shared@example.com", last_name="opted out")
    world.add("Shared@Example.com")
    assert world.run()["books"] | {"gone": 0} == {
        "selected": 2, "confirmed": 0, "pending": 0, "rejected": 0, "excluded": 2, "gone": 0,
    }  # fmt: skip
    assert world.contacts() == {}


def test_an_exclusion_after_the_load_stops_further_updates(world: World, tmp_path: Path) -> None:
    """What is excluded is not sent any more; its contact stays as it was."""
    exclude(world, tmp_path)
    client = world.add("ann@example.com")
    world.run()
    world.edit(client, last_name="opted out", first_name="Secret")
    assert world.run()["books"]["excluded"] == 1
    assert world.contact("ann@example.com")["first_name"] == "Ann"


def exclude(world: World, folder: Path) -> None:
    """Exclude who is called `opted out`."""
    world.sql_folder = opt_out_column(world.sql_folder, folder / "b2core")

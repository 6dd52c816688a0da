"""S09, the phone rule, and S10, custom fields by name, on real parts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from local.b2core_demo.rows import add_phone
from tests.support.world import CUSTOM_FIELDS, LIST_NAME, World

OLD = datetime(2026, 1, 1, tzinfo=UTC)
NEW = OLD + timedelta(days=1)


def phones(world: World, *rows: dict[str, Any]) -> None:
    """One client with these phones."""
    client = world.add("ann@example.com")
    with psycopg.connect(world.b2core_url) as connection:
        for row in rows:
            add_phone(connection, client, **row)


def row(
    phone: int, updated_at: datetime | None, *, confirmed: bool | None = False
) -> dict[str, Any]:
    """A phone that ends in the digit."""
    return {"phone": f"+4179000000{phone}", "confirmed": confirmed, "updated_at": updated_at}


@pytest.mark.parametrize(
    ("rows", "chosen"),
    [
        pytest.param([row(1, OLD, confirmed=True), row(2, NEW)], 1, id="confirmed beats newer"),
        pytest.param([row(1, NEW), row(2, OLD)], 1, id="none confirmed: newest"),
        pytest.param([row(1, OLD), row(2, NEW)], 2, id="whatever the order"),
        pytest.param([row(1, OLD), row(2, OLD)], 2, id="tie: higher id"),
        pytest.param([row(1, OLD), row(2, None)], 1, id="no date is oldest"),
        pytest.param([row(1, NEW, confirmed=None), row(2, OLD, confirmed=True)], 2, id="NULL"),
        pytest.param(
            [row(1, OLD, confirmed=True), row(2, NEW, confirmed=True)], 2, id="two confirmed"
        ),
    ],
)
def test_S09_phone_rule(world: World, rows: list[dict[str, Any]], chosen: int) -> None:
    """The confirmed number; if none is confirmed, the most recently updated."""
    phones(world, *rows)
    world.run()
    assert world.contact("ann@example.com")["phone_number"] == f"+4179000000{chosen}"


def test_S09_confirming_another_phone_is_an_update(world: World) -> None:
    """It changes two phone rows and no client row."""
    phones(world, row(1, OLD, confirmed=True), row(2, OLD))
    world.run()
    world.sql("UPDATE b2core.client_phones SET confirmed = NOT confirmed")
    assert world.run()["kind"] == "incremental"
    assert world.contact("ann@example.com")["phone_number"] == "+41790000002"


@pytest.mark.parametrize(
    ("number", "country_id", "becomes"),
    [
        ("+41 79 000 00 01", None, "+41790000001"),
        ("0041 (79) 000-00-01", None, "+41790000001"),
        ("0151 12345678", 2, "+4915112345678"),
        ("0151 12345678", None, "no_country"),
        ("call me", 2, "no_number"),
        ("110", 2, "number_too_short"),
        ("+49 1234567890123456", 2, "number_too_long"),
    ],
)
def test_S09_B15_numbers_leave_as_E164_or_not_at_all(
    world: World, number: str, country_id: int | None, becomes: str
) -> None:
    """A number that can't be written so is dropped and counted; the client is sent."""
    world.add("ann@example.com", phone=number, address={"city": "X", "country_id": country_id})
    report = world.run()
    assert report["books"]["confirmed"] == 1
    sent = becomes if becomes.startswith("+") else None
    assert world.contact("ann@example.com").get("phone_number") == sent
    assert report["dropped"] == ({} if sent else {f"phone_number: {becomes}": 1})


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_S10_the_four_custom_fields_are_found_by_name(world: World, lane: str) -> None:
    """Whatever their ids are in this account, and in whatever case the definition writes them."""
    fields = world.definition.model_dump(mode="json")["fields"]
    fields["STATUS"] = fields.pop("Status")
    world.redefine(lane=lane, fields=fields)
    world.add("ann@example.com", status_id=2, client_type_id=3, verification_level_id=4,
              jurisdiction_id=5)  # fmt: skip
    world.run()
    assert world.contact("ann@example.com")["custom_fields"] == {
        "Status": "Inactive",
        "Client_type": "Introducing broker",
        "Verification_level": "Advanced",
        "Jurisdiction": "International",
    }


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_S10_another_account_has_other_ids(world: World, lane: str) -> None:
    """The same definition fills an account in which the same names have other ids."""
    admin = world.emulator.admin
    admin.reset()
    admin.create_field("Something_else", "Number")
    for name in reversed(CUSTOM_FIELDS):
        admin.create_field(name, "Text")
    world.list_id = admin.create_list(LIST_NAME)
    world.redefine(lane=lane)
    world.seed()
    world.run()
    world.assert_converged()


def test_S10_B16_a_field_made_again_is_filled_again(world: World) -> None:
    """Deleted and created again it has another id and no values: everyone is sent once more."""
    world.seed()
    world.run()
    old = world.recreate_field("Status", "Text")
    assert all("Status" not in c["custom_fields"] for c in world.contacts().values())
    report = world.run()
    assert report["kind"] == "full"
    assert report["kind_reason"] == "mapping_changed"
    assert old not in world.last_upsert()
    world.assert_converged()
    assert world.run()["counts"]["sent"] == 0


def test_S10_B18_a_field_added_to_the_mapping_is_filled_for_everyone(world: World) -> None:
    """B18: unchanged clients are sent again once."""
    fields = world.definition.model_dump(mode="json")["fields"]
    world.redefine(fields={k: v for k, v in fields.items() if k != "Jurisdiction"})
    world.add("ann@example.com", jurisdiction_id=1)
    world.run()
    world.redefine(fields=fields)
    assert world.run()["counts"]["sent"] == 1
    world.assert_converged()

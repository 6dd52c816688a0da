"""The two ways to SendGrid give the same contacts, and what became empty is cleared by both."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import CUSTOM_FIELDS, LIST_NAME, World

ODD = 'Zoë "Z", d-Arc; =1+1 ğ 李'
NAMES = {
    "first_name": ODD,
    "last_name": "two\nlines\r\nand\ttabs",
}
ADDRESS = {
    "line1": "é" * 99 + "👨‍👩‍👧‍👦",
    "line2": "comma, quote \" and 'single'",
    "city": "e\u0301" * 60,
    "state": "\\backslash",
    "postal_code": "x" * 60,
    "country_id": 24,
}
CLEARS = {
    "first_name": "UPDATE b2core.clients SET first_name = NULL WHERE id = %s",
    "last_name": "UPDATE b2core.clients SET last_name = ' ' WHERE id = %s",
    "address_line_1": "UPDATE b2core.client_addresses SET line1 = NULL WHERE client_id = %s",
    "address_line_2": "UPDATE b2core.client_addresses SET line2 = '' WHERE client_id = %s",
    "city": "UPDATE b2core.client_addresses SET city = NULL WHERE client_id = %s",
    "state_province_region": "UPDATE b2core.client_addresses SET state = '' WHERE client_id = %s",
    "postal_code": "UPDATE b2core.client_addresses SET postal_code = '' WHERE client_id = %s",
    "country": "UPDATE b2core.client_addresses SET country_id = NULL WHERE client_id = %s",
    "phone_number": "UPDATE b2core.client_phones SET phone = '' WHERE client_id = %s",
    "Status": "UPDATE b2core.clients SET status_id = 9 WHERE id = %s",
    "Client_type": "UPDATE b2core.clients SET client_type_id = 9 WHERE id = %s",
    "Verification_level": "UPDATE b2core.clients SET verification_level_id = 9 WHERE id = %s",
    "Jurisdiction": "UPDATE b2core.clients SET jurisdiction_id = NULL WHERE id = %s",
}
"""For each mapped text field a statement that empties it for one client."""


def typed(world: World) -> None:
    """Extend account and mapping by a Number and a Date field."""
    world.emulator.admin.create_field("Client_id", "Number")
    world.emulator.admin.create_field("Registered", "Date")
    fields = world.definition.model_dump(mode="json")["fields"]
    world.redefine(fields={**fields, "Client_id": "client_id", "Registered": "registered_on"})


def values(world: World) -> dict[str, dict[str, Any]]:
    """The whole account without ids, times and lists."""
    return {email: world.contact(email) for email in world.contacts()}


def test_json_and_csv_give_identical_contacts(world: World) -> None:
    """Unicode, separators, line ends, long values, numbers and dates: no difference."""
    world.sql("INSERT INTO b2core.client_statuses (id, name) VALUES (9, %s)", "long, " * 300)
    world.add("ann@example.com", **NAMES, phone="0041 79 000 00 01", address=ADDRESS,
              status_id=9, jurisdiction_id=1, created_at="2024-02-29T23:59:59Z")  # fmt: skip
    world.add("o'brien+tag@example.com", first_name="NULL", last_name='""', phone="+41790000002")
    world.add("bare@example.com", first_name=None, last_name="")
    world.add("=cmd@example.com", first_name="=1+1", last_name="-2", created_at="1969-12-31")
    accounts = {}
    for lane in ("json", "csv"):
        admin = world.emulator.admin
        admin.reset()
        for name in CUSTOM_FIELDS:
            admin.create_field(name, "Text")
        admin.create_list(LIST_NAME)
        world.redefine(name=lane, lane=lane)
        typed(world)
        report = world.run()
        assert [job["lane"] for job in report["jobs"]] == [lane]
        accounts[lane] = values(world)
    assert accounts["json"] == accounts["csv"]
    ann = accounts["csv"]["ann@example.com"]
    assert (ann["first_name"], ann["last_name"]) == (ODD, "two lines and tabs")
    assert (ann["address_line_1"], ann["city"]) == ("é" * 99, "é" * 60)
    assert ann["custom_fields"]["Status"] == ("long, " * 167)[:1000]
    assert ann["custom_fields"]["Client_id"] == 1
    assert ann["custom_fields"]["Registered"] == "2024-02-29T00:00:00Z"
    old = accounts["csv"]["=cmd@example.com"]
    assert (old["first_name"], old["custom_fields"]["Registered"]) == (
        "=1+1", "1969-12-31T00:00:00Z",
    )  # fmt: skip


def test_auto_lane_json_for_few_csv_for_many_and_json_for_clears(world: World) -> None:
    """The same run sends what clears a field by JSON and the rest by CSV."""
    world.redefine(lane="auto", csv_from_contacts=3)
    for number in range(1, 4):
        world.add(f"client{number}@example.com", phone=f"+4179000000{number}")
    assert [job["lane"] for job in world.run()["jobs"]] == ["json"]
    world.add("client4@example.com")
    world.sql("UPDATE b2core.clients SET last_name = 'Lo'")
    world.sql("UPDATE b2core.client_phones SET phone = NULL WHERE client_id = 2")
    jobs = world.run()["jobs"]
    assert [(job["lane"], job["rows"]) for job in jobs] == [("csv", 3), ("json", 1)]
    world.assert_converged()


@pytest.mark.parametrize("empty_cell", ["keep", "clear"])
@pytest.mark.parametrize("lane", ["json", "csv"])
def test_each_text_field_that_became_empty_is_cleared(
    world: World, lane: str, empty_cell: str
) -> None:
    """B8: whichever way SendGrid reads an empty cell; every other field stays."""
    world.emulator.admin.settings(empty_cell=empty_cell)
    for table, column in (("client_statuses", "name"), ("client_types", "name")):
        world.sql(f"INSERT INTO b2core.{table} (id, {column}) VALUES (9, '')")
    world.sql("INSERT INTO b2core.verification_levels (id, idx, caption) VALUES (9, 9, '')")
    address = {"line1": "Weg", "line2": "c/o", "city": "Bern", "state": "BE",
               "postal_code": "3000", "country_id": 1}  # fmt: skip
    for field in CLEARS:
        world.add(f"{field}@example.com".lower(), phone="+41790000001", address=address,
                  jurisdiction_id=1)  # fmt: skip
    world.redefine(lane=lane)
    world.run()
    before = values(world)
    for client, statement in enumerate(CLEARS.values(), start=1):
        world.sql(statement, client)
    report = world.run()
    assert report["counts"]["cleared"] == report["counts"]["sent"] == len(CLEARS)
    after = values(world)
    for field in CLEARS:
        email = f"{field}@example.com".lower()
        was, now = flat(before[email]), flat(after[email])
        assert was.pop(field)
        assert now == was
    world.assert_converged()


def flat(contact: dict[str, Any]) -> dict[str, Any]:
    """Custom fields beside the reserved ones."""
    return {**contact, **contact["custom_fields"], "custom_fields": None}


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_numbers_and_dates_that_became_empty_are_reported_as_stale(world: World, lane: str) -> None:
    """SendGrid can't clear them: the report says so, each time such a client is sent."""
    world.redefine(lane=lane)
    world.emulator.admin.create_field("Postal", "Number")
    world.emulator.admin.create_field("Born", "Date")
    fields = world.definition.model_dump(mode="json")["fields"]
    world.redefine(fields={**fields, "Postal": "postal_code", "Born": "address_line_2"})
    world.add("ann@example.com", address={"postal_code": "8001", "line2": "2000-01-31"})
    assert world.run()["stale"] == {}
    held = world.contact("ann@example.com")["custom_fields"]
    assert (held["Postal"], held["Born"]) == (8001, "2000-01-31T00:00:00Z")
    world.sql("UPDATE b2core.client_addresses SET postal_code = NULL, line2 = NULL")
    assert world.run()["stale"] == {"Postal": 1, "Born": 1}
    now = world.contact("ann@example.com")["custom_fields"]
    assert (now["Postal"], now["Born"]) == (held["Postal"], held["Born"])
    world.edit(1, first_name="Ana")
    assert world.run()["stale"] == {"Postal": 1, "Born": 1}


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_what_somebody_else_wrote_is_not_cleared(world: World, lane: str) -> None:
    """A field that isn't mapped keeps the value that another system gave it, and so does, in an
    ordinary run, a mapped one that this sync never filled."""
    world.redefine(lane=lane)
    world.add("ann@example.com")
    world.run()
    world.emulator.admin.put_contacts(
        {"email": "ann@example.com", "city": "Elsewhere", "first_name": "Old", "line": "id"}
    )
    world.edit(1, first_name="Ana")
    world.run()
    contact = world.contact("ann@example.com")
    assert (contact["city"], contact["first_name"], contact["line"]) == ("Elsewhere", "Ana", "id")


def test_negative_numbers_go_by_json(world: World) -> None:
    """SendGrid's CSV import documents no negative numbers; the contact holds them all the same."""
    world.emulator.admin.create_field("Balance", "Number")
    fields = world.definition.model_dump(mode="json")["fields"]
    world.redefine(lane="csv", fields={**fields, "Balance": "postal_code"})
    world.add("ann@example.com", address={"postal_code": "-12.345"})
    world.add("bob@example.com", address={"postal_code": "1e3"})
    assert [job["lane"] for job in world.run()["jobs"]] == ["csv", "json"]
    held = {mail: c["custom_fields"]["Balance"] for mail, c in world.contacts().items()}
    assert held == {"ann@example.com": -12.34, "bob@example.com": 1000}

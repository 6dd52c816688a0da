"""B06, B11, B15: what people really type, from B2CORE's tables to contacts, in both lanes.

The tables of tests/support/wild say what becomes of each value; the emulator judges what it gets by
numbering plans of its own, and the oracle reads B2CORE by rules of its own.
"""

from __future__ import annotations

import pytest

from tests.support.wild import emails, more_phones, phones, texts, trackers
from tests.support.world import World

LANES = pytest.mark.parametrize("lane", ["json", "csv"])
PHONES = [
    phone
    for phone in [*phones.REPORTED, *more_phones.KINDS, *trackers.PHONES]
    if phone[0] not in trackers.ORACLE_FINDS_MORE
]
EMAILS = [*emails.REPORTED, *emails.KINDS, *trackers.EMAILS]
COLUMNS = {50: "first_name", 60: "city", 100: "line1"}
FIELDS = {50: "first_name", 60: "city", 100: "address_line_1"}
TEXTS = [
    (longest, text, becomes)
    for longest, text, becomes in [*texts.REPORTED, *texts.KINDS]
    if longest in COLUMNS and "\x00" not in text  # which no PostgreSQL stores
]


def country(world: World, code: str | None) -> int | None:
    """The id of a country with exactly this code."""
    if code is None:
        return None
    known = world.sql("SELECT id FROM b2core.countries WHERE code = %s", code)
    if not known:
        known = world.sql(
            """INSERT INTO b2core.countries (id, code, name)
               SELECT max(id) + 1, %s, 'Somewhere' FROM b2core.countries RETURNING id""",
            code,
        )
    return int(known[0][0])


@LANES
def test_B15_every_phone_number_arrives_as_its_owners_or_not_at_all(
    world: World, lane: str
) -> None:
    """SendGrid refuses none of them, and drops are counted with their reason."""
    world.redefine(lane=lane)
    for number, (text, code, _) in enumerate(PHONES):
        address = {"country_id": country(world, code)}
        world.add(f"p{number}@example.com", phone=text, address=address)
    report = world.run()
    contacts = world.contacts()
    found = [contacts[f"p{n}@example.com"].get("phone_number") or "" for n in range(len(PHONES))]
    wanted = [becomes if becomes.startswith("+") else "" for _, _, becomes in PHONES]
    assert dict(zip(PHONES, found, strict=True)) == dict(zip(PHONES, wanted, strict=True))
    assert (report["books"]["rejected"], report["books"]["confirmed"]) == (0, len(PHONES))
    for reason in {becomes for _, _, becomes in PHONES if not becomes.startswith("+")}:
        number = sum(becomes == reason for _, _, becomes in PHONES)
        assert report["dropped"][f"phone_number: {reason}"] == number
    world.assert_converged()


@LANES
def test_B06_B07_every_address_arrives_as_its_owners_or_is_rejected(
    world: World, lane: str
) -> None:
    """The ledger says why."""
    world.redefine(lane=lane)
    clients = [(world.add(text), text, becomes) for text, becomes in EMAILS]
    world.run()
    fates = world.fates()
    for client, text, becomes in clients:
        if "@" in becomes:
            assert fates[client] in ("confirmed", "shared"), text
        else:
            assert fates[client].startswith(f"rejected: email: {becomes}"), text
    assert set(world.contacts()) == {becomes for _, _, becomes in clients if "@" in becomes}
    world.assert_converged()


@LANES
def test_B11_a_country_of_more_than_50_characters_is_cut_and_reported(
    world: World, lane: str
) -> None:
    """ISO 3166's longest name has 52; SendGrid takes 50."""
    name = "United Kingdom of Great Britain and Northern Ireland"
    world.redefine(lane=lane)
    world.sql("UPDATE b2core.countries SET name = %s WHERE code = 'GB'", name)
    world.add("ann@example.com", address={"country_id": country(world, "GB")})
    report = world.run()
    assert world.contact("ann@example.com")["country"] == name[:50]
    assert report["dropped"] == {"country: too_long": 1}


@LANES
def test_B11_every_text_arrives_as_a_person_sees_it(world: World, lane: str) -> None:
    """In the field that takes so many characters."""
    world.redefine(lane=lane)
    for number, (longest, text, _) in enumerate(TEXTS):
        email, column = f"t{number}@example.com", COLUMNS[longest]
        if column == "first_name":
            world.add(email, first_name=text)
        else:
            world.add(email, address={column: text})
    world.run()
    contacts = world.contacts()
    for number, (longest, text, becomes) in enumerate(TEXTS):
        held = contacts[f"t{number}@example.com"].get(FIELDS[longest]) or None
        assert held == becomes, text
    world.assert_converged()

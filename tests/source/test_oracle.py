"""The oracle itself: each rule once, on values that are easy to check by eye."""

from __future__ import annotations

import copy

import phonenumbers
import psycopg
import pytest
from phonenumbers import PhoneNumberFormat

from local.b2core_demo.rows import add_address, add_client, add_phone
from local.numbering_plans import exists
from local.oracle import differences, expected, masked
from local.oracle_phones import phone_number
from local.oracle_rules import clean_text, email_address

FAMILY = "👩‍👩‍👧‍👦"  # one visible character, seven code points
EMAILS = {
    " Ann@Example.COM\t": "ann@example.com",
    "o'brien@example.com": "o'brien@example.com",
    "ann+news@example.com": "ann+news@example.com",
    "ann@bücher.example.com": "ann@xn--bcher-kva.example.com",
    "a" * 64 + "@example.com": "a" * 64 + "@example.com",
    "a" * 65 + "@example.com": None,
    "a@" + ".".join(["b" * 60] * 4) + ".example.com": None,  # 257 in all
    "jürgen@example.com": None,
    "V\u0130CTIM@example.com": None,  # not victim@
    "ann\u200b@example.com": "ann@example.com",
    "mailto:ann@example.com": "ann@example.com",
    "Ann Lee <ann@example.com>": "ann@example.com",
    "ann@ex\u0430mple.com": None,
    "ann.example.com": None,
    "ann@@example.com": None,
    "ann@": None,
    "ann lee@example.com": None,
    "ann@localhost": None,
    "": None,
}


@pytest.mark.parametrize(("raw", "sent"), EMAILS.items())
def test_email_address(raw: str, sent: str | None) -> None:
    assert email_address(raw) == sent


TEXTS = [
    ("  Ann \r\n\t Lee\u00a0\x00\x85 ", "Ann Lee"),
    ("Zoe\u0308", "Zoë"),
    ("\u2003\n", ""),
    ("\ufeffAnn\u200e", "Ann"),
    ("\u200b\u2800", ""),
    ("\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"),
    (None, ""),
    ("x" * 51, "x" * 50),
    ("x" * 49 + " y", "x" * 49),
    ("x" * 44 + FAMILY, "x" * 44),  # 51 code points: the family does not fit and is not split
    ("x" * 43 + FAMILY, "x" * 43 + FAMILY),
    ("g\u0323" * 30, "g\u0323" * 25),
]


@pytest.mark.parametrize(("raw", "sent"), TEXTS)
def test_clean_text(raw: str | None, sent: str) -> None:
    assert clean_text(raw, 50) == sent


PHONES = [
    ("+447911123456", None, "+447911123456"),
    (" +44 (79).11-12/34\u00a056 ", None, "+447911123456"),
    ("00447911123456", "DE", "+447911123456"),
    ("07911 123456", "GB", "+447911123456"),
    ("07911 123456", None, ""),
    ("+1234567", None, ""),  # in the form of E.164, and nobody's
    ("+1 212 555 0123", None, "+12125550123"),
    ("\u202a07911 123456\u202c", "gb", "+447911123456"),
    ("+44 (0)7911 123456", "GB", "+447911123456"),
    ("+44 7911 123456 ext. 5", "GB", "+447911123456"),
    ("+0447911123456", None, ""),
    ("12", "GB", ""),
    ("n/a", "GB", ""),
    ("call the office", "GB", ""),
    ("", "GB", ""),
    (None, None, ""),
]


@pytest.mark.parametrize(("raw", "country", "sent"), PHONES)
def test_phone_number(raw: str | None, country: str | None, sent: str) -> None:
    assert phone_number(raw, country) == sent


def test_a_whole_contact(connection: psycopg.Connection, b2core: str) -> None:
    client = add_client(
        connection, email=" ANN@example.com", first_name=" Ann\n", last_name="", jurisdiction_id=2
    )
    add_phone(connection, client, "0049 151 23456789", confirmed=True)
    add_phone(connection, client, "07911 123456")
    add_address(connection, client, type="birth_place", city="Rome", country_id=5)
    add_address(connection, client, type="billing", city="Bonn", country_id=2, line1="B 1")
    add_address(connection, client, type="legal", city="London", country_id=1, state="England")
    result = expected(b2core)
    assert result.contacts == {
        "ann@example.com": {
            "email": "ann@example.com",
            "first_name": "Ann",
            "city": "London",
            "state_province_region": "England",
            "country": "United Kingdom",
            "phone_number": "+4915123456789",
            "custom_fields": {
                "Status": "Active",
                "Client_type": "Individual",
                "Verification_level": "Not verified",
                "Jurisdiction": "United Kingdom",
            },
        }
    }
    assert (result.rejected, result.shared) == ({}, set())


def test_rejected_and_shared(connection: psycopg.Connection, b2core: str) -> None:
    first, second, third = (
        add_client(connection, email=email, first_name=name)
        for email, name in [("a@example.com", "1"), (" A@example.com", "2"), ("A@Example.com", "3")]
    )
    missing = [add_client(connection, email=email) for email in (None, "", " \t")]
    invalid = add_client(connection, email="a@@example.com")
    result = expected(b2core)
    assert result.contacts["a@example.com"]["first_name"] == "3"
    assert result.client_ids == {"a@example.com": third}
    assert result.shared == {first, second}
    assert result.rejected == {**dict.fromkeys(missing, "missing"), invalid: "invalid"}


def test_differences(connection: psycopg.Connection, b2core: str) -> None:
    for number in range(1, 6):
        add_client(connection, email=f"client{number}@example.com", jurisdiction_id=1, id=number)
    wanted = expected(b2core)
    actual = copy.deepcopy(wanted.contacts)
    for contact in actual.values():
        contact |= {"city": "", "phone_number": "", "list_ids": ["L"], "alternate_emails": None}
    assert differences(actual, wanted) == differences(actual, wanted, list_id="L") == []

    actual["client1@example.com"]["city"] = "Bonn"
    actual["client1@example.com"]["facebook"] = "ann"
    actual["client2@example.com"]["custom_fields"]["Status"] = "Banned"
    del actual["client2@example.com"]["custom_fields"]["Jurisdiction"]
    actual["client3@example.com"]["list_ids"] = []
    del actual["client4@example.com"]
    actual["client5@example.com"]["custom_fields"]["Other"] = "x"
    actual["stranger@example.com"] = {"email": "stranger@example.com"}
    lines = differences(actual, wanted, list_id="L")
    assert lines == [
        "client 1 (c***@example.com): differs in city, facebook",
        "client 2 (c***@example.com): differs in custom field Jurisdiction, custom field Status",
        "client 3 (c***@example.com): not in the list L",
        "client 4 (c***@example.com): missing in SendGrid",
        "client 5 (c***@example.com): differs in custom field Other",
        "s***@example.com: in SendGrid, but no client's contact",
    ]
    assert differences(actual, wanted, list_id="L", at_most=2) == [*lines[:2], "… and 4 more"]


def test_masked() -> None:
    assert masked("jane@example.com") == "j***@example.com"


def test_B15_the_emulators_plans_refuse_no_number_that_the_library_knows() -> None:
    """An example of every kind in every region: the plans are wide, so that what they refuse is
    certainly nobody's."""
    kinds = range(phonenumbers.PhoneNumberType.VOICEMAIL + 1)
    given = (
        phonenumbers.example_number_for_type(region, kind)
        for region in phonenumbers.SUPPORTED_REGIONS
        for kind in kinds
    )
    valid = [one for one in given if one is not None and phonenumbers.is_valid_number(one)]
    numbers = [phonenumbers.format_number(one, PhoneNumberFormat.E164) for one in valid]
    sent = [number for number in numbers if 8 <= len(number) <= 16]  # E.164, as SendGrid takes it
    assert len(sent) > 1_000
    assert [number for number in sent if not exists(number)] == []

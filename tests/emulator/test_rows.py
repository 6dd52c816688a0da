"""Rows that are accepted and fail later, and contacts with several identifiers."""

from __future__ import annotations

import pytest

from tests.support.api_caller import SendGrid, counts

ANNA, BEN = "anna@example.com", "ben@example.com"


@pytest.mark.parametrize(
    ("field_type", "value"),
    [
        *(("Number", "15.5"), ("Number", True), ("Number", "")),
        *(("Date", "AAAAA"), ("Date", "1612998183"), ("Date", 1612998183), ("Date", "")),
        *(("Date", "2021-02-30"), ("Date", "13/01/2021"), ("Text", 5), ("Text", ["a"])),
    ],
)
def test_a_wrong_custom_value_loses_its_row(
    sendgrid: SendGrid, field_type: str, value: object
) -> None:
    field = sendgrid.admin.create_field("extra", field_type)
    wrong = {"email": ANNA, "first_name": "Anna", "custom_fields": {field: value}}
    job = sendgrid.upsert(wrong, {"email": BEN})
    assert job["status"] == "errored"
    assert counts(job) == {"requested": 2, "created": 1, "errored": 1}
    assert list(sendgrid.admin.contacts()) == [BEN]


@pytest.mark.parametrize("number", ["000", "15555555555", "+0123456789", "+1 555 555 5555"])
def test_a_wrong_phone_number_loses_its_row(sendgrid: SendGrid, number: str) -> None:
    job = sendgrid.upsert({"email": ANNA, "phone_number": number}, {"email": BEN})
    assert counts(job) == {"requested": 2, "created": 1, "errored": 1}


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2021-02-11T23:03:03.000Z", "2021-02-11T23:03:03Z"),
        ("2021-02-11T23:03:03.999Z", "2021-02-11T23:03:03Z"),
        ("2021-02-11T23:03:03+02:00", "2021-02-11T21:03:03Z"),
        ("2021-02-11", "2021-02-11T00:00:00Z"),
        ("02/11/2021", "2021-02-11T00:00:00Z"),
        ("2/1/2021", "2021-02-01T00:00:00Z"),
        ("1899-12-31T00:00:00Z", "1899-12-31T00:00:00Z"),
    ],
)
def test_dates_are_kept_to_the_second_in_utc(sendgrid: SendGrid, sent: str, stored: str) -> None:
    field = sendgrid.admin.create_field("born", "Date")
    sendgrid.upsert({"email": ANNA, "custom_fields": {field: sent}})
    assert sendgrid.contact(ANNA)["custom_fields"] == {"born": stored}


@pytest.mark.parametrize("number", [15.5, 0, -1.234, 10**15])
def test_json_numbers_are_kept(sendgrid: SendGrid, number: float) -> None:
    field = sendgrid.admin.create_field("balance", "Number")
    sendgrid.upsert({"email": ANNA, "custom_fields": {field: number}})
    assert sendgrid.contact(ANNA)["custom_fields"] == {"balance": number}


@pytest.mark.parametrize("number", [2**63, 2**64, 10**30])
def test_a_long_number_of_a_csv_is_listed_as_a_double(sendgrid: SendGrid, number: int) -> None:
    field = sendgrid.admin.create_field("balance", "Number")
    sendgrid.import_csv(["_rf2_T", field], f"email,balance\n{ANNA},{number}\n")
    assert sendgrid.admin.contacts()[ANNA]["custom_fields"] == {"balance": float(number)}


@pytest.mark.parametrize(
    ("mode", "status", "alternates"),
    [
        ("store", "completed", [ANNA, "an@example.com"]),
        ("leave out", "completed", ["an@example.com"]),
        ("error", "failed", None),
    ],
)
def test_an_alternate_address_may_be_the_own_one(
    sendgrid: SendGrid, mode: str, status: str, alternates: list[str] | None
) -> None:
    sendgrid.admin.settings(own_alternate=mode)
    contact = {"email": ANNA, "alternate_emails": ["Anna@example.com", "an@example.com"]}
    assert sendgrid.upsert(contact)["status"] == status
    found = sendgrid.admin.contacts().get(ANNA, {}).get("alternate_emails")
    assert found == alternates


def test_only_the_bad_value_is_lost_when_so_decided(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(row_error="value")
    job = sendgrid.upsert({"email": ANNA, "first_name": "Anna", "phone_number": "000"})
    assert counts(job) == {"requested": 1, "created": 1, "errored": 1}
    assert job["status"] == "errored"
    contact = sendgrid.contact(ANNA)
    assert (contact["first_name"], contact["phone_number"]) == ("Anna", "")


def test_long_values_lose_their_row_or_are_cut(sendgrid: SendGrid) -> None:
    contact = {"email": ANNA, "first_name": "A" * 51}
    assert sendgrid.upsert(contact)["status"] == "failed"
    sendgrid.admin.settings(long_values="truncate")
    assert sendgrid.upsert(contact)["status"] == "completed"
    assert sendgrid.contact(ANNA)["first_name"] == "A" * 50


def test_a_job_fails_when_all_rows_do(sendgrid: SendGrid) -> None:
    job = sendgrid.upsert({"email": ANNA, "phone_number": "000"})
    assert job["status"] == "failed"
    assert counts(job) == {"requested": 1, "errored": 1}


def test_a_contact_may_be_known_by_another_identifier(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"external_id": "7", "first_name": "Anna"})
    job = sendgrid.upsert({"external_id": "7", "email": ANNA})
    assert counts(job) == {"requested": 1, "updated": 1}
    contact = sendgrid.contact(ANNA)
    assert (contact["external_id"], contact["first_name"]) == ("7", "Anna")


def test_all_identifiers_of_a_contact_must_be_present(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA, "external_id": "7"})
    job = sendgrid.upsert({"email": ANNA, "first_name": "Anna"})
    assert counts(job) == {"requested": 1, "errored": 1}
    sendgrid.admin.settings(identifiers="ignore")
    job = sendgrid.upsert({"email": ANNA, "first_name": "Anna"})
    assert counts(job) == {"requested": 1, "updated": 1}
    assert sendgrid.contact(ANNA)["external_id"] == "7"


def test_an_identifier_cannot_be_changed(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA, "external_id": "7"})
    job = sendgrid.upsert({"email": ANNA, "external_id": "8"})
    assert counts(job) == {"requested": 1, "errored": 1}


def test_identifiers_of_two_contacts_are_an_error(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA}, {"external_id": "7"})
    job = sendgrid.upsert({"email": ANNA, "external_id": "7"})
    assert counts(job) == {"requested": 1, "errored": 1}


def test_a_new_address_makes_a_new_contact(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA, "first_name": "Anna"})
    sendgrid.upsert({"email": BEN, "first_name": "Anna"})
    assert set(sendgrid.admin.contacts()) == {ANNA, BEN}


def test_the_plans_limit_fails_the_job(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(contact_limit=1)
    job = sendgrid.upsert({"email": ANNA}, {"email": BEN})
    assert job["status"] == "failed"
    assert sendgrid.admin.jobs()[-1]["failure"] == "you have hit your contact limit"
    assert counts(sendgrid.upsert({"email": ANNA, "city": "x"})) == {"requested": 1, "updated": 1}


@pytest.mark.parametrize(
    ("name", "length", "fields", "segmentation"),
    [("country", 55, 1, 0), ("postal_code", 61, 0, 1), ("phone_number", 12, 0, 0)],
)
def test_lengths_are_those_of_the_page_that_is_believed(
    sendgrid: SendGrid, name: str, length: int, fields: int, segmentation: int
) -> None:
    value = "+41791234567" if name == "phone_number" else "x" * length
    for page, errored in (("fields", fields), ("segmentation", segmentation)):
        sendgrid.admin.settings(lengths=page)
        assert counts(sendgrid.upsert({"email": ANNA, name: value})).get("errored", 0) == errored


def test_a_phone_number_may_have_to_be_one_contacts_own(sendgrid: SendGrid) -> None:
    anna, ben = ({"email": email, "phone_number": "+41791234567"} for email in (ANNA, BEN))
    assert counts(sendgrid.upsert(anna, ben)).get("errored", 0) == 0
    sendgrid.admin.settings(shared_phones="refuse")
    assert counts(sendgrid.upsert(anna)).get("errored", 0) == 1
    cleo = {"email": "cleo@example.com", "phone_number": "+41791234568"}
    assert counts(sendgrid.upsert(cleo, cleo | {"first_name": "Cleo"})).get("errored", 0) == 0

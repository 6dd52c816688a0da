"""PUT contacts: what is refused at once, and how rows are merged."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_caller import CONTACTS, EMAIL, FIELDS, SendGrid, counts, first_error

ANNA = "anna@example.com"


def test_an_upsert_is_only_queued(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(delay=30)
    answer = sendgrid.call("PUT", CONTACTS, {"contacts": [{"email": ANNA}]})
    assert answer.status_code == 202
    assert list(answer.json()) == ["job_id"]
    assert sendgrid.admin.contacts() == {}


def test_contacts_are_only_counted_when_so_decided(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(store_only=True)
    job = sendgrid.upsert({"email": "no address"}, {"email": "ben@example.com"})
    assert counts(job) == {"requested": 2, "created": 2}
    assert sendgrid.admin.contacts() == {}
    unknown = {"contacts": [{}], "list_ids": ["11111111-1111-4111-8111-111111111111"]}
    assert sendgrid.call("PUT", CONTACTS, unknown).status_code == 404


@pytest.mark.parametrize("store_only", [True, False])
def test_what_is_only_counted_is_decided_when_it_comes(
    sendgrid: SendGrid, store_only: bool
) -> None:
    """A job follows the setting of its request or file, not that of its own time."""
    sendgrid.admin.settings(store_only=store_only, delay=30)
    called = sendgrid.call("PUT", CONTACTS, {"contacts": [{"email": ANNA}]}).json()["job_id"]
    started = sendgrid.start_import([EMAIL])
    sendgrid.upload(started, "email\nben@example.com\n")
    sendgrid.admin.settings(store_only=not store_only)
    sendgrid.admin.advance(30)
    for job_id in (called, started["job_id"]):
        assert counts(sendgrid.wait(job_id)) == {"requested": 1, "created": 1}
    assert set(sendgrid.admin.contacts()) == (set() if store_only else {ANNA, "ben@example.com"})


def test_a_bad_address_refuses_the_whole_call(sendgrid: SendGrid) -> None:
    contacts = [{"email": ANNA}, {"email": "000"}]
    error = (400, "contacts[1].email", "email '000' is not valid")
    assert sendgrid.refused(contacts) == error
    assert sendgrid.admin.jobs() == []
    sendgrid.admin.settings(email_error_field="identifier")
    assert sendgrid.refused(contacts)[1] == "contacts[1].identifier"


@pytest.mark.parametrize(
    "address",
    [
        *("a", "a@b", "a@b.c", "a b@example.com", " anna@example.com", "a@@example.com"),
        *("a..b@example.com", ".a@example.com", "a@-x.com", "ä@example.com", "a@example.com\n"),
        "x" * 65 + "@example.com",
        "a@" + "b" * 250 + ".com",
    ],
)
def test_what_is_no_address_is_refused(sendgrid: SendGrid, address: str) -> None:
    assert sendgrid.refused([{"email": address}])[0] == 400


@pytest.mark.parametrize("address", ["a+b.c_d@sub.example.co", "o'neil@example.com", "A@B.CO"])
def test_common_addresses_are_taken(sendgrid: SendGrid, address: str) -> None:
    assert sendgrid.upsert({"email": address})["status"] == "completed"
    assert list(sendgrid.admin.contacts()) == [address.lower()]


def test_a_charset_in_the_content_type_is_refused(sendgrid: SendGrid) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = sendgrid.http.put(sendgrid.base_url + CONTACTS, data="{}", headers=headers, timeout=30)
    message = "invalid content-type: application/json; charset=utf-8"
    assert first_error(answer) == (400, None, message)


@pytest.mark.parametrize(
    "contact",
    [
        {"email": ANNA, "custom_fields": []},
        {"email": ANNA, "first_name": 5},
        {"email": ANNA, "alternate_emails": "b@example.com"},
        {"email": 5},
        "anna@example.com",
    ],
)
def test_wrong_json_types_refuse_the_call(sendgrid: SendGrid, contact: object) -> None:
    assert sendgrid.refused([contact]) == (400, "", "invalid input")


@pytest.mark.parametrize("body", [[], {}, {"contacts": {}}, {"contacts": []}])
def test_a_body_without_contacts_is_refused(sendgrid: SendGrid, body: object) -> None:
    assert sendgrid.call("PUT", CONTACTS, body).status_code == 400


def test_broken_json_is_refused(sendgrid: SendGrid) -> None:
    headers = {"Content-Type": "application/json"}
    url = sendgrid.base_url + CONTACTS
    assert sendgrid.http.put(url, data="{", headers=headers, timeout=30).status_code == 400


def test_more_than_30000_contacts_are_refused(sendgrid: SendGrid) -> None:
    contacts = [{"email": f"a{number}@b.co"} for number in range(30_001)]
    assert sendgrid.refused(contacts)[0] == 400
    assert counts(sendgrid.upsert(*contacts[:30_000])) == {"requested": 30_000, "created": 30_000}


def test_more_than_4_mib_are_refused(sendgrid: SendGrid) -> None:
    contacts = [{"email": f"a{n}@b.co", "postal_code": "9" * 4400} for n in range(1000)]
    assert sendgrid.refused(contacts)[0] == 400
    sendgrid.admin.settings(max_json_bytes=6_000_000)
    assert counts(sendgrid.upsert(*contacts)) == {"requested": 1000, "created": 1000}


def test_unknown_and_young_custom_fields_are_refused(sendgrid: SendGrid) -> None:
    body = {"name": "status", "field_type": "Text"}
    young = sendgrid.call("POST", FIELDS, body).json()["id"]
    contact = {"email": ANNA, "custom_fields": {young: "a", "zz_T": "b"}}
    message = f"invalid custom field ids supplied - {young},zz_T"
    assert sendgrid.refused([contact]) == (400, None, message)
    sendgrid.admin.advance(5)
    del contact["custom_fields"]["zz_T"]  # type: ignore[attr-defined]
    assert sendgrid.upsert(contact)["status"] == "completed"


def test_custom_fields_are_written_by_id_and_shown_by_name(sendgrid: SendGrid) -> None:
    field = sendgrid.admin.create_field("status", "Text")
    named = [{"email": ANNA, "custom_fields": {"status": "Active"}}]
    assert sendgrid.refused(named)[2] == "invalid custom field ids supplied - status"
    sendgrid.upsert({"email": ANNA, "custom_fields": {field: "Active"}})
    assert sendgrid.contact(ANNA)["custom_fields"] == {"status": "Active"}


def test_an_unknown_list_refuses_the_call(sendgrid: SendGrid) -> None:
    missing = "11111111-1111-4111-8111-111111111111"
    assert sendgrid.refused([{"email": ANNA}], list_ids=[missing])[0] == 404
    sendgrid.admin.settings(unknown_list_status=400)
    assert sendgrid.refused([{"email": ANNA}], list_ids=[missing])[0] == 400


def test_undescribed_keys_are_refused(sendgrid: SendGrid) -> None:
    contact = {"email": ANNA, "nickname": "An"}
    assert sendgrid.refused([contact]) == (400, "nickname", "unknown keys: nickname")
    assert sendgrid.refused([{"email": ANNA}], dry_run=True)[1] == "dry_run"
    sendgrid.admin.settings(unknown_keys="ignore")
    assert sendgrid.upsert(contact)["status"] == "completed"


def test_a_contact_without_an_identifier_is_refused(sendgrid: SendGrid) -> None:
    assert sendgrid.refused([{"first_name": "Anna"}])[0] == 400
    assert sendgrid.refused([{"email": "", "first_name": "Anna"}])[0] == 400


def upsert_twice(sendgrid: SendGrid, first: dict[str, Any], second: dict[str, Any]) -> Any:
    """Upsert Anna twice, a minute apart, and return what both did."""
    sendgrid.upsert({"email": ANNA, **first})
    before = sendgrid.contact(ANNA)
    sendgrid.admin.advance(60)
    job = sendgrid.upsert({"email": ANNA, **second})
    return before, job, sendgrid.contact(ANNA)


def test_omitted_fields_are_kept(sendgrid: SendGrid) -> None:
    field = sendgrid.admin.create_field("status", "Text")
    first = {"first_name": "Anna", "city": "Paphos", "custom_fields": {field: "Active"}}
    second = {"first_name": "Ann", "custom_fields": {}}
    _, job, after = upsert_twice(sendgrid, first, second)
    assert counts(job) == {"requested": 1, "updated": 1}
    assert (after["first_name"], after["city"]) == ("Ann", "Paphos")
    assert after["custom_fields"] == {"status": "Active"}


def test_an_empty_string_clears_texts(sendgrid: SendGrid) -> None:
    field = sendgrid.admin.create_field("status", "Text")
    first = {
        "first_name": "Anna",
        "phone_number": "+35799123456",
        "custom_fields": {field: "Active"},
    }
    second = {"first_name": "", "phone_number": "", "custom_fields": {field: ""}}
    _, job, after = upsert_twice(sendgrid, first, second)
    assert job["status"] == "completed"
    assert (after["first_name"], after["phone_number"]) == ("", "")
    assert after["custom_fields"] == {}


def test_lists_are_only_added(sendgrid: SendGrid) -> None:
    one, two = sendgrid.admin.create_list("one"), sendgrid.admin.create_list("two")
    sendgrid.upsert({"email": ANNA}, list_ids=[one])
    sendgrid.upsert({"email": ANNA}, list_ids=[two])
    sendgrid.upsert({"email": ANNA}, list_ids=[])
    assert sendgrid.contact(ANNA)["list_ids"] == [one, two]


def test_an_upsert_that_changes_nothing_leaves_updated_at(sendgrid: SendGrid) -> None:
    before, job, after = upsert_twice(sendgrid, {"first_name": "Anna"}, {"first_name": "Anna"})
    assert counts(job) == {"requested": 1}
    assert job["status"] == "completed"
    assert after == before


def test_a_change_moves_updated_at_only(sendgrid: SendGrid) -> None:
    before, _, after = upsert_twice(sendgrid, {"first_name": "Anna"}, {"first_name": "Ann"})
    assert (after["id"], after["created_at"]) == (before["id"], before["created_at"])
    assert after["updated_at"] > before["updated_at"]


def test_mixed_case_reaches_the_same_contact(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA, "first_name": "Anna"})
    job = sendgrid.upsert({"email": ANNA.upper(), "first_name": "Ann"})
    assert counts(job) == {"requested": 1, "updated": 1}
    assert list(sendgrid.admin.contacts()) == [ANNA]


def test_a_field_made_after_the_contact_can_be_set(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA})
    field = sendgrid.admin.create_field("late", "Number")
    assert counts(sendgrid.upsert({"email": ANNA})) == {"requested": 1}
    sendgrid.upsert({"email": ANNA, "custom_fields": {field: 1.5}})
    assert sendgrid.contact(ANNA)["custom_fields"] == {"late": 1.5}


@pytest.mark.parametrize("mode", ["store", "refuse", "ignore"])
def test_deprecated_fields_by_switch(sendgrid: SendGrid, mode: str) -> None:
    sendgrid.admin.settings(deprecated_fields=mode)
    body = {"contacts": [{"email": ANNA, "line": "L", "city": "Bern"}]}
    answer = sendgrid.call("PUT", CONTACTS, body)
    assert answer.status_code == (400 if mode == "refuse" else 202)
    if mode != "refuse":
        sendgrid.wait(answer.json()["job_id"])
        found = sendgrid.admin.contacts()[ANNA]
        assert (found["line"], found["city"]) == ("L" if mode == "store" else "", "Bern")

"""Reading contacts: every way to look them up, and how they look."""

from __future__ import annotations

import pytest

from tests.support.api_caller import CONTACTS, SendGrid, first_error

ANNA, BEN = "anna@example.com", "ben@example.com"
ALIAS = "an@example.com"
SHOWN = {
    *("id", "email", "first_name", "last_name", "alternate_emails", "address_line_1"),
    *("address_line_2", "city", "state_province_region", "country", "postal_code", "phone_number"),
    *("whatsapp", "line", "facebook", "unique_name", "list_ids", "segment_ids", "custom_fields"),
    *("created_at", "updated_at", "_metadata"),
}


def test_a_contact_shows_everything_and_unset_texts_empty(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA, "first_name": "Anna"})
    contact = sendgrid.contact(ANNA)
    assert set(contact) == SHOWN
    assert (contact["first_name"], contact["last_name"]) == ("Anna", "")
    assert (contact["alternate_emails"], contact["segment_ids"]) == ([], [])
    assert contact["custom_fields"] == {}
    assert sendgrid.call("GET", f"{CONTACTS}/{contact['id']}").json() == contact
    assert sendgrid.admin.contacts() == {ANNA: contact}


def test_search_by_address_tells_found_from_missing(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA, "alternate_emails": [ALIAS.upper()]})
    sought = {"emails": [ANNA.upper(), ALIAS, BEN, ""]}
    result = sendgrid.call("POST", f"{CONTACTS}/search/emails", sought).json()["result"]
    assert list(result) == [ANNA, ALIAS, BEN]
    assert result[ANNA] == result[ALIAS]
    assert result[ANNA]["contact"]["alternate_emails"] == [ALIAS]
    assert result[BEN] == {"error": "contact not found"}


def test_an_alternate_address_that_was_replaced_is_not_found(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA, "alternate_emails": [ALIAS]})
    sendgrid.upsert({"email": ANNA, "alternate_emails": ["a2@example.com"]})
    answer = sendgrid.call("POST", f"{CONTACTS}/search/emails", {"emails": [ALIAS]})
    assert answer.status_code == 404


def test_finding_nobody_is_a_404(sendgrid: SendGrid) -> None:
    sought = {"emails": [ANNA]}
    answer = sendgrid.call("POST", f"{CONTACTS}/search/emails", sought)
    assert first_error(answer) == (404, None, "contact not found")
    sendgrid.admin.settings(search_404="result")
    answer = sendgrid.call("POST", f"{CONTACTS}/search/emails", sought)
    assert answer.status_code == 404
    assert answer.json() == {"result": {ANNA: {"error": "contact not found"}}}


@pytest.mark.parametrize(
    "emails",
    [
        [f"a{number}@b.co" for number in range(101)],
        ["nobody"],
        ["a" * 60 + "@" + "b" * 40 + ".com"],
        [],
        "a@b.co",
        [5],
    ],
)
def test_a_wrong_search_is_refused(sendgrid: SendGrid, emails: object) -> None:
    answer = sendgrid.call("POST", f"{CONTACTS}/search/emails", {"emails": emails})
    assert answer.status_code == 400


def test_search_by_other_identifiers(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA, "external_id": "Seven"})
    path = f"{CONTACTS}/search/identifiers"
    result = sendgrid.call("POST", f"{path}/external_id", {"identifiers": ["Seven", "8"]}).json()
    assert result["result"]["Seven"]["contact"]["external_id"] == "Seven"
    assert result["result"]["8"] == {"error": "contact not found"}
    by_email = sendgrid.call("POST", f"{path}/email", {"identifiers": [ANNA.upper()]})
    assert list(by_email.json()["result"]) == [ANNA]
    assert sendgrid.call("POST", f"{path}/name", {"identifiers": ["x"]}).status_code == 400


def test_batch_returns_the_known_ids(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA})
    contact = sendgrid.contact(ANNA)
    answer = sendgrid.call("POST", f"{CONTACTS}/batch", {"ids": [contact["id"], "unknown"]})
    assert answer.json() == {"result": [contact]}
    too_many = {"ids": ["x"] * 101}
    assert sendgrid.call("POST", f"{CONTACTS}/batch", too_many).status_code == 400


def test_an_unknown_contact_is_a_404(sendgrid: SendGrid) -> None:
    assert first_error(sendgrid.call("GET", f"{CONTACTS}/unknown"))[0] == 404


def test_the_newest_50_come_by_address_with_their_oddities(sendgrid: SendGrid) -> None:
    sendgrid.upsert(*({"email": f"a{number:02d}@b.co"} for number in range(60)))
    answer = sendgrid.call("GET", f"{CONTACTS}?page_size=2").json()
    emails = [contact["email"] for contact in answer["result"]]
    assert emails == [f"a{number:02d}@b.co" for number in range(10, 60)]
    assert answer["contact_count"] == 60
    contact = answer["result"][0]
    assert (contact["alternate_emails"], contact["segment_ids"]) == (None, None)
    assert contact["_metadata"]["self"].endswith(f"/v3/marketing/contact/{contact['id']}")
    assert len(contact["updated_at"]) == len("2026-07-15T16:19:57.123456789Z")


def test_segment_ids_may_be_null_or_absent(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA})
    sendgrid.admin.settings(segment_ids="null", newest_segment_ids="left out")
    answer = sendgrid.http.get(sendgrid.base_url + CONTACTS, timeout=30)  # described otherwise
    assert "segment_ids" not in answer.json()["result"][0]
    assert sendgrid.admin.contacts()[ANNA]["segment_ids"] is None


def test_count_tells_the_identifiers_apart(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA}, {"email": BEN, "external_id": "7"}, {"anonymous_id": "x"})
    assert sendgrid.call("GET", f"{CONTACTS}/count").json() == {
        "contact_count": 3,
        "billable_count": 3,
        "identifier_counts": {"EID": 2, "PHNID": 0, "EXTID": 1, "AID": 1},
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("email = 'anna@example.com'", [ANNA]),
        ("lower(email) = 'anna@example.com'", [ANNA]),
        ("email = 'ANNA@example.com'", []),
        ("first_name = 'O''Neil'", [BEN]),
        ("lower(city) = 'paphos' AND first_name = 'Anna'", [ANNA]),
        ("city = 'Paphos'", [ANNA, BEN]),
        ("email = 'x@y.zz' OR status = 'Active' AND city = 'Paphos'", [ANNA]),
        ("CONTAINS(list_ids,'{clients}')", [BEN]),
        ("CONTAINS(list_ids, '{clients}') AND city='Limassol'", []),
        ("email IN ('anna@example.com', \"x@y.zz\")", [ANNA]),
        ("email not in ('anna@example.com')", [BEN]),
        ("email LIKE '%example.com' AND email NOT LIKE 'anna%'", [BEN]),
        ("first_name = 'O\\'Neil' or first_name = \"O'Neil\"", [BEN]),
        ("first_name != 'Anna'", [BEN]),
        ("status IS NULL", [BEN]),
        ("status IS NOT NULL", [ANNA]),
        ("NOT (city = 'Limassol' OR first_name = 'Anna')", [BEN]),
        ("(email = 'x@y.zz' OR status = 'Active') AND city = 'Paphos'", [ANNA]),
    ],
)
def test_a_little_sgql_is_understood(sendgrid: SendGrid, query: str, found: list[str]) -> None:
    clients = sendgrid.admin.create_list("clients")
    status = sendgrid.admin.create_field("status", "Text")
    anna = {"email": ANNA, "first_name": "Anna", "city": "Paphos"}
    sendgrid.upsert({**anna, "custom_fields": {status: "Active"}})
    ben = {"email": BEN, "first_name": "O'Neil", "city": "Paphos"}
    sendgrid.upsert(ben, list_ids=[clients])
    body = {"query": query.replace("{clients}", clients)}
    answer = sendgrid.call("POST", f"{CONTACTS}/search", body).json()
    assert [contact["email"] for contact in answer["result"]] == found
    assert answer["contact_count"] == len(found)
    assert answer["_metadata"]["self"].endswith("/v3/marketing/contacts/search")


@pytest.mark.parametrize(
    "query",
    [
        *("", "email", "email LIKE", "nothing = 'x'", "email = 'a' AND", "email = 'a' x"),
        *("(email = 'a'", "email IN ()", "email = 'a", "NOT", "email NOT = 'a'", "email > 'a'"),
    ],
)
def test_other_sgql_is_refused(sendgrid: SendGrid, query: str) -> None:
    answer = sendgrid.call("POST", f"{CONTACTS}/search", {"query": query})
    assert first_error(answer)[:2] == (400, "query")

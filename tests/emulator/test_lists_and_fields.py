"""Lists and field definitions."""

from __future__ import annotations

import pytest

from tests.support.api_caller import FIELDS, LISTS, SendGrid, counts, first_error

ANNA = "anna@example.com"
RESERVED = """
    first_name _rf0_T, last_name _rf1_T, email _rf2_T, alternate_emails _rf3_T,
    address_line_1 _rf4_T, address_line_2 _rf5_T, city _rf6_T, state_province_region _rf7_T,
    postal_code _rf8_T, country _rf9_T, phone_number _rf10_T, whatsapp _rf11_T, line _rf12_T,
    facebook _rf13_T, unique_name _rf14_T, email_domains _rf15_T, last_clicked _rf16_D,
    last_opened _rf17_D, last_emailed _rf18_D, singlesend_id _rf19_T, automation_id _rf20_T,
    created_at _rf21_D, updated_at _rf22_D, contact_id _rf23_T, phone_number_id _rf24_T,
    external_id _rf25_T, anonymous_id _rf26_T, list_ids _rf27_T, segment_ids _rf28_T
"""


def test_a_list_is_created_found_renamed_and_deleted(sendgrid: SendGrid) -> None:
    created = sendgrid.call("POST", LISTS, {"name": "clients"})
    assert created.status_code == 201
    item = created.json()
    assert set(item) == {"id", "name", "contact_count", "identifier_counts", "_metadata"}
    path = f"{LISTS}/{item['id']}"
    assert item["_metadata"]["self"] == sendgrid.base_url + path
    assert sendgrid.call("GET", path).json() == item
    renamed = sendgrid.call("PATCH", path, {"name": "customers"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "customers")
    deleted = sendgrid.call("DELETE", path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    for method in ("GET", "DELETE"):
        assert sendgrid.call(method, path).status_code == 404


@pytest.mark.parametrize("name", ["", "x" * 101, None, 5, "taken"])
def test_wrong_and_taken_list_names_are_refused(sendgrid: SendGrid, name: object) -> None:
    sendgrid.admin.create_list("taken")
    assert first_error(sendgrid.call("POST", LISTS, {"name": name}))[:2] == (400, "name")


def test_lists_come_in_pages(sendgrid: SendGrid) -> None:
    ids = sorted(sendgrid.admin.create_list(f"list {number}") for number in range(5))
    url, seen = f"{sendgrid.base_url}{LISTS}?page_size=2", []
    sizes = []
    while url:
        page = sendgrid.http.get(url, timeout=30).json()
        seen += [item["id"] for item in page["result"]]
        sizes.append(len(page["result"]))
        assert page["_metadata"]["count"] == 5
        url = page["_metadata"].get("next")
    assert (seen, sizes) == (ids, [2, 2, 1])
    assert len(sendgrid.call("GET", f"{LISTS}?page_size=5000").json()["result"]) == 5
    for query in ("page_size=0", "page_size=x", "page_token=zz"):
        assert sendgrid.call("GET", f"{LISTS}?{query}").status_code == 400


def test_a_list_knows_how_many_contacts_it_has(sendgrid: SendGrid) -> None:
    clients = sendgrid.admin.create_list("clients")
    ben = {"email": "ben@example.com", "external_id": "7"}
    sendgrid.upsert({"email": ANNA}, ben, list_ids=[clients])
    sendgrid.upsert({"email": "cleo@example.com", "external_id": "8"})
    path = f"{LISTS}/{clients}"
    item = sendgrid.call("GET", path).json()
    assert item["contact_count"] == 2
    assert item["identifier_counts"] == {"EID": 2, "PHNID": 0, "EXTID": 1, "AID": 0}
    count = sendgrid.call("GET", f"{path}/contacts/count").json()
    assert count == {"contact_count": 2, "billable_count": 2}
    sample = sendgrid.call("GET", f"{path}?contact_sample=true").json()["contact_sample"]
    assert {contact["email"] for contact in sample} == {ANNA, "ben@example.com"}


def test_counts_may_lag(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(count_lag=60)
    clients = sendgrid.admin.create_list("clients")
    sendgrid.upsert({"email": ANNA}, list_ids=[clients])
    path = f"{LISTS}/{clients}/contacts/count"
    assert sendgrid.call("GET", path).json()["contact_count"] == 0
    assert sendgrid.contact(ANNA)["list_ids"] == [clients]
    sendgrid.admin.advance(60)
    assert sendgrid.call("GET", path).json()["contact_count"] == 1


def test_deleting_a_list_keeps_its_contacts(sendgrid: SendGrid) -> None:
    clients = sendgrid.admin.create_list("clients")
    sendgrid.upsert({"email": ANNA}, list_ids=[clients])
    sendgrid.call("DELETE", f"{LISTS}/{clients}")
    assert sendgrid.contact(ANNA)["list_ids"] == []


def test_deleting_a_list_with_its_contacts_is_a_job(sendgrid: SendGrid) -> None:
    clients = sendgrid.admin.create_list("clients")
    sendgrid.upsert({"email": ANNA}, list_ids=[clients])
    sendgrid.upsert({"email": "ben@example.com"})
    answer = sendgrid.call("DELETE", f"{LISTS}/{clients}?delete_contacts=true")
    assert answer.status_code == 200
    assert counts(sendgrid.wait(answer.json()["job_id"])) == {"requested": 1, "deleted": 1}
    assert list(sendgrid.admin.contacts()) == ["ben@example.com"]


def test_the_29_reserved_fields_are_exactly_the_known_ones(sendgrid: SendGrid) -> None:
    answer = sendgrid.call("GET", FIELDS).json()
    wanted = dict(pair.split() for pair in RESERVED.split(","))
    assert {field["name"]: field["id"] for field in answer["reserved_fields"]} == wanted
    types = {"T": "Text", "D": "Date"}
    assert all(field["field_type"] == types[field["id"][-1]] for field in answer["reserved_fields"])
    read_only = [field["id"] for field in answer["reserved_fields"] if field.get("read_only")]
    assert [item[3:5] for item in read_only] == [str(number) for number in range(15, 24)]
    assert sum("read_only" in field for field in answer["reserved_fields"]) == 9


def test_custom_fields_are_absent_while_there_are_none(sendgrid: SendGrid) -> None:
    assert "custom_fields" not in sendgrid.call("GET", FIELDS).json()
    field = sendgrid.admin.create_field("status", "Text")
    [shown] = sendgrid.call("GET", FIELDS).json()["custom_fields"]
    assert (shown["id"], shown["name"], shown["field_type"]) == (field, "status", "Text")


def test_a_field_is_created_with_200_and_numbered_over_all_types(sendgrid: SendGrid) -> None:
    ids = []
    for name, field_type in (("a", "Text"), ("b", "Number"), ("c", "Date")):
        answer = sendgrid.call("POST", FIELDS, {"name": name, "field_type": field_type})
        assert answer.status_code == 200
        ids.append(answer.json()["id"])
    numbers = [int(item[1:-2]) for item in ids]
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    assert [item[-2:] for item in ids] == ["_T", "_N", "_D"]


@pytest.mark.parametrize(
    ("name", "field_type", "blamed"),
    [
        *(("1st", "Text", "name"), ("a b", "Text", "name"), ("", "Text", "name")),
        *(("x" * 101, "Text", "name"), (None, "Text", "name"), ("STATUS", "Text", "name")),
        *(("Email", "Text", "name"), ("ok", "Boolean", "field_type"), ("ok", None, "field_type")),
    ],
)
def test_wrong_fields_are_refused(
    sendgrid: SendGrid, name: object, field_type: object, blamed: str
) -> None:
    sendgrid.admin.create_field("status", "Text")
    answer = sendgrid.call("POST", FIELDS, {"name": name, "field_type": field_type})
    assert first_error(answer)[:2] == (400, blamed)


def test_at_most_500_custom_fields(sendgrid: SendGrid) -> None:
    for number in range(500):
        sendgrid.admin.create_field(f"field_{number}", "Text")
    answer = sendgrid.call("POST", FIELDS, {"name": "one_more", "field_type": "Text"})
    assert answer.status_code == 400


def test_a_field_is_renamed_and_keeps_its_values(sendgrid: SendGrid) -> None:
    field = sendgrid.admin.create_field("status", "Text")
    sendgrid.upsert({"email": ANNA, "custom_fields": {field: "Active"}})
    answer = sendgrid.call("PATCH", f"{FIELDS}/{field}", {"name": "state"})
    assert (answer.status_code, answer.json()["name"]) == (200, "state")
    assert sendgrid.contact(ANNA)["custom_fields"] == {"state": "Active"}
    retyped = sendgrid.call("PATCH", f"{FIELDS}/{field}", {"name": "state", "field_type": "Date"})
    assert retyped.status_code == 400


def test_a_deleted_field_takes_its_values_along(sendgrid: SendGrid) -> None:
    field = sendgrid.admin.create_field("status", "Text")
    sendgrid.upsert({"email": ANNA, "custom_fields": {field: "Active"}})
    assert sendgrid.call("DELETE", f"{FIELDS}/{field}").status_code == 204
    assert sendgrid.contact(ANNA)["custom_fields"] == {}
    again = sendgrid.admin.create_field("status", "Text")
    assert again != field
    assert sendgrid.contact(ANNA)["custom_fields"] == {}


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize("field", ["_rf0_T", "e999_T"])
def test_reserved_and_unknown_fields_cannot_be_touched(
    sendgrid: SendGrid, method: str, field: str
) -> None:
    assert sendgrid.call(method, f"{FIELDS}/{field}", {"name": "other"}).status_code == 404

"""Deleting contacts and taking them off lists."""

from __future__ import annotations

import pytest

from tests.support.api_caller import CONTACTS, LISTS, SendGrid, counts, first_error

ANNA, BEN = "anna@example.com", "ben@example.com"


def test_contacts_are_deleted_by_id_later(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA}, {"email": BEN})
    sendgrid.admin.settings(delay=30)
    ids = f"{sendgrid.contact(ANNA)['id']},unknown"
    answer = sendgrid.call("DELETE", CONTACTS, params={"ids": ids})
    assert answer.status_code == 202
    assert set(sendgrid.admin.contacts()) == {ANNA, BEN}
    sendgrid.admin.advance(30)
    job = sendgrid.wait(answer.json()["job_id"])
    assert (job["status"], counts(job)) == ("completed", {"requested": 2, "deleted": 1})
    assert set(sendgrid.admin.contacts()) == {BEN}


def test_a_contact_made_again_has_a_new_id(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA, "city": "Paphos"})
    before = sendgrid.contact(ANNA)["id"]
    sendgrid.wait(sendgrid.call("DELETE", f"{CONTACTS}?ids={before}").json()["job_id"])
    sendgrid.upsert({"email": ANNA})
    after = sendgrid.contact(ANNA)
    assert after["id"] != before
    assert after["city"] == ""


@pytest.mark.parametrize("query", ["", "?ids=", "?ids=,", "?delete_all_contacts=yes"])
def test_a_deletion_of_nothing_is_refused(sendgrid: SendGrid, query: str) -> None:
    sendgrid.upsert({"email": ANNA})
    assert sendgrid.call("DELETE", CONTACTS + query).status_code == 400


def test_everything_can_be_deleted_and_that_is_logged(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA}, {"email": BEN})
    answer = sendgrid.call("DELETE", f"{CONTACTS}?delete_all_contacts=true")
    assert counts(sendgrid.wait(answer.json()["job_id"])) == {"requested": 2, "deleted": 2}
    assert sendgrid.admin.contacts() == {}


def test_a_long_address_is_a_414_in_html(sendgrid: SendGrid) -> None:
    fits = ",".join(["x" * 36] * 200)
    assert sendgrid.call("DELETE", f"{CONTACTS}?ids={fits}").status_code == 202
    answer = sendgrid.call("DELETE", f"{CONTACTS}?ids={fits},{fits}")
    assert answer.status_code == 414
    assert answer.headers["content-type"].startswith("text/html")


def test_a_contact_is_taken_off_a_list_and_stays(sendgrid: SendGrid) -> None:
    one, two = sendgrid.admin.create_list("one"), sendgrid.admin.create_list("two")
    sendgrid.upsert({"email": ANNA}, list_ids=[one, two])
    contact_id = sendgrid.contact(ANNA)["id"]
    answer = sendgrid.call("DELETE", f"{LISTS}/{one}/contacts?contact_ids={contact_id}")
    assert answer.status_code == 202
    assert sendgrid.wait(answer.json()["job_id"])["status"] == "completed"
    assert sendgrid.contact(ANNA)["list_ids"] == [two]
    assert sendgrid.call("GET", f"{LISTS}/{one}").json()["contact_count"] == 0


def test_how_many_contacts_a_removal_may_name_is_a_switch(sendgrid: SendGrid) -> None:
    clients = sendgrid.admin.create_list("clients")
    sendgrid.upsert(*({"email": f"a{number}@b.co"} for number in range(101)), list_ids=[clients])
    ids = [contact["id"] for contact in sendgrid.admin.contacts().values()]
    path = f"{LISTS}/{clients}/contacts?contact_ids="
    for query in ("", ",".join(ids)):
        assert sendgrid.call("DELETE", path + query).status_code == 400
    sendgrid.admin.settings(many_ids="accept", no_ids="accept")
    for query in ("", ",".join(ids)):
        answer = sendgrid.call("DELETE", path + query)
        assert answer.status_code == 202
        sendgrid.wait(answer.json()["job_id"])
    assert not any(contact["list_ids"] for contact in sendgrid.admin.contacts().values())


def test_a_list_removal_wants_list_and_contacts_to_exist(sendgrid: SendGrid) -> None:
    clients = sendgrid.admin.create_list("clients")
    sendgrid.upsert({"email": ANNA}, list_ids=[clients])
    contact_id = sendgrid.contact(ANNA)["id"]
    path = f"{LISTS}/{clients}/contacts"
    unknown_list = f"{LISTS}/unknown/contacts?contact_ids={contact_id}"
    assert first_error(sendgrid.call("DELETE", unknown_list))[0] == 404
    unknown_contact = f"{path}?contact_ids={contact_id},unknown"
    assert first_error(sendgrid.call("DELETE", unknown_contact))[0] == 404
    assert first_error(sendgrid.call("DELETE", path))[0] == 400
    assert sendgrid.contact(ANNA)["list_ids"] == [clients]


def test_the_jobs_of_identifiers_may_be_unknown(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA, "external_id": "7"})
    path = f"{CONTACTS}/{sendgrid.contact(ANNA)['id']}/identifiers"
    body = {"identifier_type": "EXTERNALID", "identifier_value": "7"}
    job_id = sendgrid.call("DELETE", path, body).json()["job_id"]
    sendgrid.wait(job_id)
    sendgrid.admin.settings(identifier_removal_jobs="unknown")
    assert sendgrid.call("GET", f"{CONTACTS}/imports/{job_id}").status_code == 404
    assert "external_id" not in sendgrid.contact(ANNA)

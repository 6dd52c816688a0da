"""Jobs that do not do what they say, or do not say what they do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_caller import CONTACTS, EMAIL, FIRST_NAME, SendGrid, counts, wait_for

EMAILS = [f"p{number}@example.com" for number in range(10)]
LANES = pytest.mark.parametrize("lane", ["json", "csv"])


def send(sendgrid: SendGrid, lane: str, *emails: str) -> dict[str, Any]:
    """Send contacts by JSON or CSV and return the finished job."""
    if lane == "json":
        return sendgrid.upsert(*({"email": email} for email in emails))
    return sendgrid.import_csv([EMAIL], "\n".join(["email", *emails]))


def queue(sendgrid: SendGrid, email: str) -> str:
    """Queue the upsert of a contact and return the job's id."""
    body = {"contacts": [{"email": email}]}
    return str(sendgrid.call("PUT", CONTACTS, body).json()["job_id"])


@LANES
def test_rows_may_be_dropped_in_silence(sendgrid: SendGrid, lane: str) -> None:
    sendgrid.admin.job_fault("drops_rows", rows=3)
    job = send(sendgrid, lane, *EMAILS)
    assert job["status"] == "completed"
    assert counts(job) == {"requested": 10, "created": 7}
    assert sorted(sendgrid.admin.contacts()) == EMAILS[3:]


@LANES
def test_counts_may_be_short_though_all_is_done(sendgrid: SendGrid, lane: str) -> None:
    sendgrid.admin.job_fault("short_counts", rows=1)
    job = send(sendgrid, lane, *EMAILS)
    assert job["status"] == "completed"
    assert counts(job) == {"requested": 10, "created": 9}
    assert sorted(sendgrid.admin.contacts()) == EMAILS


def test_counts_of_zero_are_absent(sendgrid: SendGrid) -> None:
    sendgrid.admin.job_fault("short_counts", rows=10)
    assert counts(send(sendgrid, "json", *EMAILS)) == {"requested": 10}


def test_a_job_may_be_forgotten_once_it_took_effect(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(delay=30)
    sendgrid.admin.job_fault("forgotten")
    job_id = queue(sendgrid, EMAILS[0])
    assert sendgrid.job(job_id)["status"] == "pending"
    sendgrid.admin.advance(30)
    url = f"{CONTACTS}/imports/{job_id}"
    wait_for(lambda: sendgrid.call("GET", url).status_code, lambda status: status == 404)
    assert list(sendgrid.admin.contacts()) == EMAILS[:1]


def test_a_job_may_be_forgotten_at_once(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(delay=30)
    sendgrid.admin.job_fault("forgotten_at_once")
    job_id = queue(sendgrid, EMAILS[0])
    assert sendgrid.call("GET", f"{CONTACTS}/imports/{job_id}").status_code == 404
    sendgrid.admin.advance(30)
    assert wait_for(sendgrid.admin.contacts, bool)


@pytest.mark.parametrize(("seconds", "at_last"), [(60, "completed"), (0, "processing")])
def test_a_status_may_be_unknown(sendgrid: SendGrid, seconds: int, at_last: str) -> None:
    sendgrid.admin.job_fault("unknown_status", seconds=seconds)
    job = send(sendgrid, "json", *EMAILS)
    assert (job["status"], counts(job)["created"]) == ("processing", 10)
    assert "finished_at" not in job
    sendgrid.admin.advance(60)
    assert sendgrid.job(job["id"])["status"] == at_last


@LANES
def test_one_address_may_fail_its_whole_job(sendgrid: SendGrid, lane: str) -> None:
    sendgrid.admin.settings(poison_emails=[EMAILS[4]])
    job = send(sendgrid, lane, *EMAILS[:4], EMAILS[4].upper(), *EMAILS[5:])
    assert job["status"] == "failed"
    assert "created_count" not in job["results"]
    assert sendgrid.admin.contacts() == {}
    assert send(sendgrid, lane, EMAILS[5])["status"] == "completed"


@LANES
def test_a_valid_address_may_be_refused(sendgrid: SendGrid, lane: str) -> None:
    sendgrid.admin.settings(refused_emails={EMAILS[1]: "disliked"})
    job = send(sendgrid, lane, *EMAILS[:3])
    assert job["status"] == "errored"
    assert counts(job) == {"requested": 3, "created": 2, "errored": 1}
    assert sendgrid.errors(job).text == f"email,error\n{EMAILS[1]},disliked\n"
    assert sorted(sendgrid.admin.contacts()) == [EMAILS[0], EMAILS[2]]


@pytest.mark.parametrize(("rows", "left"), [(0, 3), (1, 2), (2, 1)])
def test_a_deletion_may_fail_halfway(sendgrid: SendGrid, rows: int, left: int) -> None:
    send(sendgrid, "json", *EMAILS[:3])
    ids = ",".join(item["id"] for item in sendgrid.admin.contacts().values())
    sendgrid.admin.job_fault("fails_halfway", after_rows=rows, job="delete")
    job = sendgrid.wait(sendgrid.call("DELETE", f"{CONTACTS}?ids={ids}").json()["job_id"])
    assert job["status"] == "failed"
    assert len(sendgrid.admin.contacts()) == left


def test_a_deletion_may_drop_rows(sendgrid: SendGrid) -> None:
    send(sendgrid, "json", *EMAILS[:3])
    ids = ",".join(item["id"] for item in sendgrid.admin.contacts().values())
    sendgrid.admin.job_fault("drops_rows", rows=2)
    job = sendgrid.wait(sendgrid.call("DELETE", f"{CONTACTS}?ids={ids}").json()["job_id"])
    assert (job["status"], counts(job)) == ("completed", {"requested": 3, "deleted": 1})
    assert len(sendgrid.admin.contacts()) == 2


def test_a_second_upload_may_take_an_effect_of_its_own(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(second_upload="process_twice")
    started = sendgrid.start_import([EMAIL, FIRST_NAME])
    sendgrid.upload(started, b"email,first\na@b.co,One\n")
    job = sendgrid.wait(started["job_id"])
    sendgrid.upsert({"email": "a@b.co", "first_name": "Between"})
    sendgrid.upload(started, b"email,first\na@b.co,Two\n")
    wait_for(lambda: sendgrid.contact("a@b.co")["first_name"], lambda name: name == "Two")
    assert sendgrid.job(started["job_id"]) == job


def test_searches_may_lag(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(search_lag=30)
    search = {"emails": [EMAILS[0]]}
    found: list[str | None] = []

    def look() -> None:
        answer = sendgrid.call("POST", f"{CONTACTS}/search/emails", search)
        result = answer.json().get("result")
        found.append(result and result[EMAILS[0]]["contact"]["city"])

    sendgrid.upsert({"email": EMAILS[0], "city": "old"})
    look()
    sendgrid.admin.advance(31)
    look()
    sendgrid.upsert({"email": EMAILS[0], "city": "new"})
    look()
    sendgrid.admin.advance(31)
    look()
    contact_id = sendgrid.contact(EMAILS[0])["id"]
    sendgrid.wait(sendgrid.call("DELETE", f"{CONTACTS}?ids={contact_id}").json()["job_id"])
    look()
    sendgrid.admin.advance(31)
    look()
    assert found == [None, "old", "old", "new", "new", None]


def test_a_list_removal_may_say_completed_and_change_nothing(sendgrid: SendGrid) -> None:
    """Once by a fault, for ever by a setting; its job may not be served either."""
    listed = sendgrid.admin.create_list("A list")
    sendgrid.admin.put_contacts({"email": EMAILS[0]}, list_ids=[listed])
    contact = wait_for(sendgrid.admin.contacts, lambda found: EMAILS[0] in found)[EMAILS[0]]
    url = f"/v3/marketing/lists/{listed}/contacts?contact_ids={contact['id']}"
    sendgrid.admin.job_fault("no_effect", job="list_removal")
    for setting in ({}, {"list_removal_effect": "nothing"}):
        sendgrid.admin.settings(**setting)
        job = sendgrid.wait(sendgrid.call("DELETE", url).json()["job_id"])
        assert (job["status"], counts(job)) == ("completed", {"requested": 1, "updated": 1})
        assert sendgrid.admin.contacts()[EMAILS[0]]["list_ids"] == [listed]
    sendgrid.admin.settings(list_removal_effect="removes", list_removal_jobs="unknown")
    job_id = sendgrid.call("DELETE", url).json()["job_id"]
    assert sendgrid.call("GET", f"{CONTACTS}/imports/{job_id}").status_code == 404
    wait_for(lambda: sendgrid.admin.contacts()[EMAILS[0]]["list_ids"], lambda lists: lists == [])

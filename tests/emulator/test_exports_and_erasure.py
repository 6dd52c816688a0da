"""Exports, erase jobs, and taking identifiers from contacts."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import pytest

from tests.support.api_caller import CONTACTS, LISTS, SendGrid, counts, first_error, wait_for

EXPORTS, ERASE = f"{CONTACTS}/exports", "/v3/recipients/erasejob"
ANNA, BEN = "anna@example.com", "ben@example.com"


def export(sendgrid: SendGrid, **body: object) -> dict[str, Any]:
    """Order an export and return it once it is ready or failed."""
    ordered = sendgrid.call("POST", EXPORTS, body)
    assert ordered.status_code == 202, ordered.text
    url = f"{EXPORTS}/{ordered.json()['id']}"
    look = lambda: sendgrid.call("GET", url).json()  # noqa: E731
    return wait_for(look, lambda shown: shown["status"] != "pending")


def download(sendgrid: SendGrid, shown: dict[str, Any]) -> str:
    """Return an export's file, without a key."""
    answer = sendgrid.storage.get(shown["urls"][0], timeout=30)
    assert answer.status_code == 200, answer.text
    return gzip.decompress(answer.content).decode()


def test_an_export_holds_all_contacts(sendgrid: SendGrid) -> None:
    field = sendgrid.admin.create_field("Status", "Text")
    sendgrid.upsert({"email": ANNA, "custom_fields": {field: "new"}}, {"email": BEN, "city": "x"})
    shown = export(sendgrid)
    assert (shown["status"], shown["contact_count"]) == ("ready", 2)
    assert not shown["urls"][0].startswith(sendgrid.base_url)
    rows = {row["EMAIL"]: row for row in csv.DictReader(io.StringIO(download(sendgrid, shown)))}
    assert (rows[ANNA]["Status"], rows[ANNA]["CITY"], rows[BEN]["CITY"]) == ("new", "", "x")


def test_an_export_may_be_json_and_of_a_list(sendgrid: SendGrid) -> None:
    clients = sendgrid.admin.create_list("clients")
    sendgrid.upsert({"email": ANNA}, list_ids=[clients])
    sendgrid.upsert({"email": BEN})
    text = download(sendgrid, export(sendgrid, list_ids=[clients], file_type="json"))
    assert [json.loads(line)["email"] for line in text.splitlines()] == [ANNA]


def test_an_export_expires(sendgrid: SendGrid) -> None:
    shown = export(sendgrid)
    sendgrid.admin.advance(43_201)
    answer = sendgrid.storage.get(shown["urls"][0], timeout=30)
    assert (answer.status_code, "Request has expired" in answer.text) == (403, True)


def test_an_export_may_fail(sendgrid: SendGrid) -> None:
    sendgrid.admin.job_fault("fails_halfway", job="export")
    shown = export(sendgrid)
    assert (shown["status"], shown["message"]) == ("failure", "internal error")
    assert "urls" not in shown


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"file_type": "xml"}, 400, "file_type"),
        ({"max_file_size": "1"}, 400, "max_file_size"),
        ({"notifications": {"mail": True}}, 400, "notifications"),
        ({"contacts": []}, 400, "contacts"),
        ({"segment_ids": ["x"]}, 404, "segment_ids"),
    ],
)
def test_wrong_exports_are_refused(
    sendgrid: SendGrid, body: dict[str, Any], status: int, field: str
) -> None:
    assert first_error(sendgrid.call("POST", EXPORTS, body))[:2] == (status, field)


def test_an_unknown_export_is_a_404(sendgrid: SendGrid) -> None:
    assert sendgrid.call("GET", f"{EXPORTS}/nothing").status_code == 404


def test_erasing_leaves_contacts_alone(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA})
    answer = sendgrid.call("POST", ERASE, {"email_addresses": [ANNA.upper()]})
    assert (answer.status_code, list(answer.json())) == (202, ["job_id"])
    assert sendgrid.admin.erased() == [ANNA]
    assert list(sendgrid.admin.contacts()) == [ANNA]


def test_a_bad_address_is_not_erased(sendgrid: SendGrid) -> None:
    answer = sendgrid.call("POST", ERASE, {"email_addresses": [ANNA, "nobody"]})
    assert first_error(answer)[::2] == (400, "Email_address nobody is not valid")
    assert sendgrid.admin.erased() == []


@pytest.mark.parametrize("emails", [[], ["a@b.co"] * 5_001, ["a@b.co" + "m" * 60] * 4_999])
def test_erase_jobs_have_a_size(sendgrid: SendGrid, emails: list[str]) -> None:
    assert sendgrid.call("POST", ERASE, {"email_addresses": emails}).status_code == 400


def test_erase_jobs_are_limited_to_100_a_minute(sendgrid: SendGrid) -> None:
    sendgrid.admin.advance(60 - sendgrid.admin.now() % 60)
    answers = [sendgrid.call("POST", ERASE, {"email_addresses": [ANNA]}) for _ in range(101)]
    assert {answer.status_code for answer in answers[:100]} == {202}
    assert answers[100].status_code == 429
    assert "x-envoy-ratelimited" in answers[100].headers


def test_an_identifier_can_be_taken_unless_it_is_the_last(sendgrid: SendGrid) -> None:
    sendgrid.upsert({"email": ANNA, "external_id": "7"})
    path = f"{CONTACTS}/{sendgrid.contact(ANNA)['id']}/identifiers"
    statuses = []
    for kind, value in [("EXTERNALID", "8"), ("EXTERNALID", "7"), ("EMAIL", ANNA)]:
        body = {"identifier_type": kind, "identifier_value": value}
        answer = sendgrid.call("DELETE", path, body)
        assert answer.status_code == 202, answer.text
        statuses.append(sendgrid.wait(answer.json()["job_id"])["status"])
    assert statuses == ["failed", "completed", "failed"]
    assert "external_id" not in sendgrid.contact(ANNA)


@pytest.mark.parametrize(("kind", "status"), [("email", 400), ("EMAIL", 404)])
def test_wrong_identifier_removals_are_refused(sendgrid: SendGrid, kind: str, status: int) -> None:
    body = {"identifier_type": kind, "identifier_value": ANNA}
    answer = sendgrid.call("DELETE", f"{CONTACTS}/nothing/identifiers", body)
    assert answer.status_code == status


def test_a_list_removal_is_a_job_of_at_most_100(sendgrid: SendGrid) -> None:
    clients = sendgrid.admin.create_list("clients")
    sendgrid.upsert({"email": ANNA}, list_ids=[clients])
    path = f"{LISTS}/{clients}/contacts?contact_ids="
    contact_id = sendgrid.contact(ANNA)["id"]
    answer = sendgrid.call("DELETE", path + ",".join([contact_id] * 101))
    assert first_error(answer)[:2] == (400, "contact_ids")
    answer = sendgrid.call("DELETE", path + contact_id)
    assert answer.status_code == 202
    assert counts(sendgrid.wait(answer.json()["job_id"]))["requested"] == 1
    assert sendgrid.contact(ANNA)["list_ids"] == []

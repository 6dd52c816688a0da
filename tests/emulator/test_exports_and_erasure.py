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
    """Return an export's files, without a key."""
    answers = [sendgrid.storage.get(url, timeout=30) for url in shown["urls"]]
    assert {answer.status_code for answer in answers} == {200}
    return "".join(gzip.decompress(answer.content).decode() for answer in answers)


def lines(sendgrid: SendGrid, shown: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the contacts of an export in JSON lines."""
    return [json.loads(line) for line in download(sendgrid, shown).splitlines()]


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
    found = lines(sendgrid, export(sendgrid, list_ids=[clients], file_type="json"))
    assert [contact["email"] for contact in found] == [ANNA]


def test_a_line_of_json_is_as_it_was_reported(sendgrid: SendGrid) -> None:
    """sendgrid-csharp#1024: contact_id, no lists, nothing that is unset; unless it is switched."""
    sendgrid.upsert({"email": ANNA, "city": "Bern"}, list_ids=[sendgrid.admin.create_list("l")])
    (found,) = lines(sendgrid, export(sendgrid, file_type="json"))
    known = {"contact_id", "email", "city", "custom_fields", "created_at", "updated_at"}
    assert found.keys() == known
    sendgrid.admin.settings(export_lists="shown", export_unset="empty", export_json="array")
    (found,) = json.loads(download(sendgrid, export(sendgrid, file_type="json")))
    assert (len(found["list_ids"]), found["first_name"]) == (1, "")


def test_an_export_is_split_by_size(sendgrid: SendGrid) -> None:
    """Each file has its own header, and no contact is lost between two."""
    sendgrid.admin.settings(export_megabyte=400)
    sendgrid.upsert(*({"email": f"{n}@example.com"} for n in range(20)))
    shown = export(sendgrid, max_file_size=1)
    assert len(shown["urls"]) > 2
    assert all(".csv.gzip?" in url for url in shown["urls"])
    rows = download(sendgrid, shown).splitlines()
    assert (rows.count(rows[0]), len(set(rows))) == (len(shown["urls"]), 21)


def test_an_export_needs_no_body_and_is_listed(sendgrid: SendGrid) -> None:
    """With what the API's description says of each, also while it is pending."""
    sendgrid.admin.job_fault("slow", job="export", seconds=3600)
    ordered = sendgrid.call("POST", EXPORTS)
    assert ordered.status_code == 202
    pending = sendgrid.call("GET", f"{EXPORTS}/{ordered.json()['id']}").json()
    assert pending["status"] == "pending"
    assert {"id", "created_at", "updated_at", "expires_at"} <= pending.keys()
    (listed,) = sendgrid.call("GET", EXPORTS).json()["result"]
    assert (listed["id"], listed["export_type"]) == (pending["id"], "contacts_export")


def test_an_export_is_of_no_single_moment(sendgrid: SendGrid) -> None:
    """Contacts are written one after the other, while jobs go on changing them."""
    sendgrid.upsert(*({"email": f"{n}@example.com"} for n in range(1_001)))
    sendgrid.admin.settings(export_pace=1)
    ordered = sendgrid.call("POST", EXPORTS, {"file_type": "json"}).json()["id"]
    look = lambda: sendgrid.call("GET", f"{EXPORTS}/{ordered}").json()  # noqa: E731
    sendgrid.upsert({"email": "0@example.com", "city": "x"}, {"email": "1000@example.com",
                                                             "city": "x"})  # fmt: skip
    shown = wait_for(look, lambda found: found["status"] == "ready")
    changed = [contact["email"] for contact in lines(sendgrid, shown) if "city" in contact]
    assert changed == ["1000@example.com"]


def test_an_export_expires(sendgrid: SendGrid) -> None:
    shown = export(sendgrid)
    sendgrid.admin.advance(43_201)
    answer = sendgrid.storage.get(shown["urls"][0], timeout=30)
    assert (answer.status_code, "Request has expired" in answer.text) == (403, True)
    sendgrid.admin.settings(export_links="each look")
    url = f"{EXPORTS}/{shown['id']}"
    assert download(sendgrid, sendgrid.call("GET", url).json())


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


@pytest.mark.parametrize("lifts", [False, True])
def test_whether_erasing_lifts_suppressions_is_a_choice(sendgrid: SendGrid, lifts: bool) -> None:
    sendgrid.admin.settings(erase_suppressions=lifts)
    sendgrid.admin.suppress(ANNA, BEN)
    sendgrid.admin.suppress(ANNA, kind="bounces")
    sendgrid.call("POST", ERASE, {"email_addresses": [ANNA]})
    assert set(sendgrid.admin.suppressions()) == ({BEN} if lifts else {ANNA, BEN})
    bounced = sendgrid.call("GET", "/v3/suppression/bounces").json()
    assert [each["email"] for each in bounced] == ([] if lifts else [ANNA])


def test_a_key_needs_a_scope_of_its_own_to_erase(sendgrid: SendGrid) -> None:
    sendgrid.admin.add_key("SG.other-key", "suppressions")
    body = {"email_addresses": [ANNA]}
    answer = sendgrid.call("POST", ERASE, body, headers={"Authorization": "Bearer SG.other-key"})
    assert answer.status_code == 403


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

"""Rate limits, faults on demand, and the record of the calls."""

from __future__ import annotations

import json

import pytest
import requests

from local.sendgrid_emulator.admin.client import AdminError
from tests.support.api_caller import CONTACTS, EMAIL, LISTS, SendGrid, first_error

ANNA = "anna@example.com"
JOB_ROUTE = f"{CONTACTS}/imports/{{job_id}}"
HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


def start_of_minute(sendgrid: SendGrid) -> None:
    """Move the clock to the beginning of a minute, so that it cannot end during a test."""
    sendgrid.admin.advance(60 - sendgrid.admin.now() % 60)


def test_every_answer_tells_the_limit(sendgrid: SendGrid) -> None:
    start_of_minute(sendgrid)
    sendgrid.admin.advance(20)
    sendgrid.admin.fault("GET", LISTS, status=503)
    answers = [
        sendgrid.call("GET", LISTS),
        sendgrid.call("GET", LISTS),
        sendgrid.call("GET", "/v3/nothing"),
        sendgrid.call("PUT", CONTACTS, {}),
        requests.get(sendgrid.base_url + LISTS, timeout=30),
    ]
    assert [answer.status_code for answer in answers] == [503, 200, 404, 400, 401]
    for answer in answers:
        assert all(name in answer.headers for name in HEADERS)
        assert 35 <= int(answer.headers["x-ratelimit-reset"]) <= 40


def test_two_lists_may_have_a_bucket_each(sendgrid: SendGrid) -> None:
    ids = [sendgrid.admin.create_list(name) for name in ("one", "two")]
    for buckets, statuses in (("template", [200, 429]), ("path", [200, 200])):
        limits = {f"GET {LISTS}/{{list_id}}": 1}
        sendgrid.admin.settings(rate_buckets=buckets, rate_limits=limits)
        start_of_minute(sendgrid)
        assert [sendgrid.call("GET", f"{LISTS}/{i}").status_code for i in ids] == statuses


def test_a_used_up_minute_is_a_429_until_the_next(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(rate_limits={f"GET {LISTS}": 2})
    start_of_minute(sendgrid)
    left = [sendgrid.call("GET", LISTS).headers["x-ratelimit-remaining"] for _ in range(2)]
    assert left == ["1", "0"]
    refused = sendgrid.call("GET", LISTS)
    assert first_error(refused) == (429, None, "too many requests")
    assert "retry-after" not in refused.headers
    assert sendgrid.admin.calls()[-1]["status"] == 429
    assert sendgrid.call("POST", LISTS, {"name": "other bucket"}).status_code == 201
    sendgrid.admin.advance(60)
    assert sendgrid.call("GET", LISTS).status_code == 200


def test_a_bucket_is_a_template_not_an_address(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(rate_limits={f"GET {JOB_ROUTE}": 1})
    start_of_minute(sendgrid)
    statuses = [sendgrid.call("GET", f"{CONTACTS}/imports/{x}").status_code for x in "ab"]
    assert statuses == [404, 429]


def test_reset_may_be_epoch_seconds_and_retry_after_present(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(rate_limit=0, rate_limit_reset="epoch", retry_after=True)
    start_of_minute(sendgrid)
    answer = sendgrid.call("GET", LISTS)
    assert answer.status_code == 429
    assert int(answer.headers["x-ratelimit-reset"]) % 60 == 0
    assert int(answer.headers["x-ratelimit-reset"]) > sendgrid.admin.now()
    assert 0 < int(answer.headers["retry-after"]) <= 60
    sendgrid.admin.settings(rate_limit=100)
    assert "retry-after" not in sendgrid.call("GET", LISTS).headers


def test_a_fault_answers_the_nth_call_instead_of_the_route(sendgrid: SendGrid) -> None:
    sendgrid.admin.fault("POST", LISTS, nth=2, status=502, body="<html>", headers={"X-A": "b"})
    answers = [sendgrid.call("POST", LISTS, {"name": f"list {n}"}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [201, 502, 201]
    assert (answers[1].text, answers[1].headers["x-a"]) == ("<html>", "b")
    names = {item["name"] for item in sendgrid.call("GET", LISTS).json()["result"]}
    assert names == {"list 0", "list 2"}
    assert [call["fault"] for call in sendgrid.admin.calls()] == [False, True, False, False]


def test_a_fault_may_come_after_the_effect(sendgrid: SendGrid) -> None:
    sendgrid.admin.fault("POST", LISTS, status=500, when="after")
    assert sendgrid.call("POST", LISTS, {"name": "clients"}).status_code == 500
    assert len(sendgrid.call("GET", LISTS).json()["result"]) == 1


def test_a_fault_may_last_for_some_calls(sendgrid: SendGrid) -> None:
    sendgrid.admin.fault("*", "*", times=2, status=500)
    statuses = [sendgrid.call("GET", LISTS).status_code for _ in range(3)]
    assert statuses == [500, 500, 200]
    assert sendgrid.admin.faults()["calls"] == []


@pytest.mark.parametrize(("when", "queued"), [("before", 0), ("after", 1)])
def test_a_connection_is_reset_before_or_after_the_effect(
    sendgrid: SendGrid, when: str, queued: int
) -> None:
    sendgrid.admin.fault("PUT", CONTACTS, reset=True, when=when)
    with pytest.raises(requests.ConnectionError):
        sendgrid.call("PUT", CONTACTS, {"contacts": [{"email": ANNA}]})
    assert len(sendgrid.admin.jobs()) == queued
    assert [call["status"] for call in sendgrid.admin.calls()] == [0]
    assert sendgrid.upsert({"email": ANNA})["status"] == "completed"


def test_an_upload_can_be_reset_after_it_arrived(sendgrid: SendGrid) -> None:
    sendgrid.admin.fault("PUT", "/imports/{job_id}", reset=True, when="after")
    started = sendgrid.start_import([EMAIL])
    with pytest.raises(requests.ConnectionError):
        sendgrid.upload(started, f"email\n{ANNA}\n".encode())
    assert sendgrid.wait(started["job_id"])["status"] == "completed"


def test_an_answer_can_be_cut_short(sendgrid: SendGrid) -> None:
    sendgrid.admin.fault("GET", LISTS, truncate=10)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        sendgrid.call("GET", LISTS)
    assert sendgrid.call("GET", LISTS).status_code == 200


def test_an_answer_can_be_delayed(sendgrid: SendGrid) -> None:
    sendgrid.admin.fault("GET", LISTS, delay=5)
    with pytest.raises(requests.ReadTimeout):
        sendgrid.http.get(sendgrid.base_url + LISTS, timeout=0.1)
    assert sendgrid.call("GET", LISTS).status_code == 200


def test_faults_can_be_taken_back(sendgrid: SendGrid) -> None:
    sendgrid.admin.fault("GET", LISTS, status=500)
    sendgrid.admin.job_fault("never_starts")
    sendgrid.admin.clear_faults()
    assert sendgrid.call("GET", LISTS).status_code == 200
    assert sendgrid.upsert({"email": ANNA})["status"] == "completed"


def test_a_wrong_order_of_the_administrator_is_told(sendgrid: SendGrid) -> None:
    with pytest.raises(AdminError, match="nothing"):
        sendgrid.admin.fault("GET", LISTS, nothing=1)
    with pytest.raises(AdminError, match="empty_cell"):
        sendgrid.admin.settings(empty_cell="guess")
    with pytest.raises(AdminError, match="dealy"):
        sendgrid.admin.settings(dealy=1)
    with pytest.raises(AdminError, match="kind"):
        sendgrid.admin.job_fault("explodes")  # type: ignore[arg-type]


def test_calls_are_recorded_with_their_bodies(sendgrid: SendGrid) -> None:
    body = {"contacts": [{"email": ANNA}]}
    sendgrid.call("PUT", CONTACTS, body)
    sendgrid.call("GET", f"{LISTS}?page_size=7")
    put, get = sendgrid.admin.calls()
    assert (put["method"], put["route"], put["status"]) == ("PUT", CONTACTS, 202)
    assert json.loads(sendgrid.admin.call_body(put["number"])) == body
    assert put["request_bytes"] == len(sendgrid.admin.call_body(put["number"]))
    assert (get["path"], get["query"], get["origin"]) == (LISTS, "page_size=7", "api")


def test_a_reset_forgets_everything(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(delay=30)
    sendgrid.admin.create_list("clients")
    sendgrid.admin.create_field("status", "Text")
    sendgrid.call("PUT", CONTACTS, {"contacts": [{"email": ANNA}]})
    sendgrid.admin.fault("GET", LISTS, status=500)
    sendgrid.admin.advance(30)
    sendgrid.admin.reset()
    assert sendgrid.admin.jobs() == sendgrid.admin.calls() == []
    assert sendgrid.admin.uploads() == []
    assert sendgrid.admin.contacts() == {}
    assert sendgrid.admin.settings()["delay"] == 0
    assert sendgrid.call("GET", LISTS).json()["result"] == []

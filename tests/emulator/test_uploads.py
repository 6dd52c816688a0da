"""The upload origin behaves like S3, and keeps what it got."""

from __future__ import annotations

import gzip
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.api_caller import EMAIL, SendGrid, counts, wait_for

DATA = b"email\nanna@example.com\n"


@pytest.fixture
def started(sendgrid: SendGrid) -> dict[str, Any]:
    """An import that waits for its file."""
    return sendgrid.start_import([EMAIL])


def code(answer: requests.Response) -> tuple[int, str]:
    """Return the status and S3's error code."""
    assert answer.headers["content-type"].startswith("application/xml")
    return answer.status_code, answer.text.split("<Code>")[1].split("</Code>")[0]


def test_uploads_go_to_another_origin(sendgrid: SendGrid, started: dict[str, Any]) -> None:
    assert not started["upload_uri"].startswith(sendgrid.base_url)
    answer = sendgrid.upload(started, DATA)
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_job_without_its_file_stays_pending(sendgrid: SendGrid, started: dict[str, Any]) -> None:
    sendgrid.admin.advance(86_400)
    job = sendgrid.job(started["job_id"])
    assert (job["status"], job["results"]) == ("pending", {})


def test_every_upload_header_has_to_match(sendgrid: SendGrid, started: dict[str, Any]) -> None:
    names = [item["header"] for item in started["upload_headers"]]
    assert "x-amz-server-side-encryption" in names
    assert len(names) == 2
    for name in names:
        for value in (None, "other"):
            answer = sendgrid.upload(started, DATA, {name: value})
            assert code(answer) == (403, "SignatureDoesNotMatch")


def test_the_extra_header_differs_from_import_to_import(sendgrid: SendGrid) -> None:
    headers = [sendgrid.start_import([EMAIL])["upload_headers"][1] for _ in range(2)]
    assert headers[0]["header"] != headers[1]["header"]


def test_an_unsigned_amazon_header_is_refused(sendgrid: SendGrid, started: dict[str, Any]) -> None:
    answer = sendgrid.upload(started, DATA, {"x-amz-acl": "public-read"})
    assert code(answer) == (403, "AccessDenied")


def test_a_key_must_not_be_sent(sendgrid: SendGrid, started: dict[str, Any]) -> None:
    answer = sendgrid.upload(started, DATA, {"Authorization": "Bearer SG.emulator-tests"})
    assert code(answer) == (400, "InvalidArgument")


def test_a_wrong_signature_is_refused(sendgrid: SendGrid, started: dict[str, Any]) -> None:
    started["upload_uri"] = started["upload_uri"][:-1] + "x"
    assert code(sendgrid.upload(started, DATA)) == (403, "SignatureDoesNotMatch")


def test_an_address_expires(sendgrid: SendGrid, started: dict[str, Any]) -> None:
    sendgrid.admin.advance(3601)
    answer = sendgrid.upload(started, DATA)
    assert code(answer) == (403, "AccessDenied")
    assert "Request has expired" in answer.text
    sendgrid.admin.settings(upload_lifetime=0)
    assert code(sendgrid.upload(sendgrid.start_import([EMAIL]), DATA)) == (403, "AccessDenied")


def test_only_put_is_allowed(sendgrid: SendGrid, started: dict[str, Any]) -> None:
    for method in ("POST", "GET", "DELETE"):
        answer = sendgrid.storage.request(method, started["upload_uri"], timeout=30)
        assert code(answer) == (405, "MethodNotAllowed")


def test_a_chunked_body_is_refused(sendgrid: SendGrid, started: dict[str, Any]) -> None:
    assert code(sendgrid.upload(started, iter([DATA]))) == (411, "MissingContentLength")


def test_a_file_that_is_too_large_is_refused(sendgrid: SendGrid, started: dict[str, Any]) -> None:
    sendgrid.admin.settings(max_upload_bytes=10)
    assert code(sendgrid.upload(started, DATA)) == (400, "EntityTooLarge")


def test_multipart_is_taken_and_fails_the_job(sendgrid: SendGrid, started: dict[str, Any]) -> None:
    headers = {item["header"]: item["value"] for item in started["upload_headers"]}
    answer = sendgrid.storage.put(
        started["upload_uri"], files={"file": DATA}, headers=headers, timeout=30
    )
    assert answer.status_code == 200
    assert sendgrid.wait(started["job_id"])["status"] == "failed"
    assert "field mapping doesn't match" in sendgrid.admin.jobs()[-1]["failure"]


def test_an_unknown_address_is_no_such_key(sendgrid: SendGrid, started: dict[str, Any]) -> None:
    origin = started["upload_uri"].partition("/imports/")[0]
    answer = sendgrid.storage.put(f"{origin}/elsewhere", data=DATA, timeout=30)
    assert code(answer) == (404, "NoSuchKey")


@pytest.mark.parametrize(
    ("rule", "status", "city"), [("replace", 200, "two"), ("refuse", 403, "one")]
)
def test_a_second_upload_replaces_the_first_or_is_refused(
    sendgrid: SendGrid, rule: str, status: int, city: str
) -> None:
    sendgrid.admin.settings(delay=30, second_upload=rule)
    started = sendgrid.start_import([EMAIL, "_rf6_T"])
    sendgrid.upload(started, b"email,city\na@b.co,one\n")
    answer = sendgrid.upload(started, b"email,city\na@b.co,two\n")
    assert answer.status_code == status
    sendgrid.admin.advance(30)
    assert counts(sendgrid.wait(started["job_id"])) == {"requested": 1, "created": 1}
    assert sendgrid.contact("a@b.co")["city"] == city


def test_a_second_upload_after_the_effect_changes_nothing(
    sendgrid: SendGrid, started: dict[str, Any]
) -> None:
    sendgrid.upload(started, DATA)
    job = sendgrid.wait(started["job_id"])
    assert sendgrid.upload(started, b"email\nben@example.com\n").status_code == 200
    assert sendgrid.job(started["job_id"]) == job
    assert list(sendgrid.admin.contacts()) == ["anna@example.com"]


def test_uploads_can_be_looked_at(sendgrid: SendGrid, started: dict[str, Any]) -> None:
    packed = gzip.compress(DATA)
    sendgrid.upload(started, packed)
    [upload] = sendgrid.admin.uploads()
    assert (upload.job_id, upload.size, upload.multipart) == (started["job_id"], len(packed), False)
    assert upload.headers["content-length"] == str(len(packed))
    assert upload.body() == DATA
    assert upload.raw_body() == packed


def test_calls_to_the_upload_origin_are_recorded(
    sendgrid: SendGrid, started: dict[str, Any]
) -> None:
    sendgrid.upload(started, DATA)
    call = wait_for(lambda: sendgrid.admin.calls()[-1], lambda seen: seen["status"] == 200)
    assert (call["origin"], call["method"], call["route"]) == ("upload", "PUT", "/imports/{job_id}")
    assert call["request_bytes"] == len(DATA)


def test_an_upload_that_breaks_off_never_was(sendgrid: SendGrid, started: dict[str, Any]) -> None:
    address = urlsplit(started["upload_uri"])
    head = [f"PUT {address.path}?{address.query} HTTP/1.1", f"Host: {address.netloc}"]
    head += [f"{item['header']}: {item['value']}" for item in started["upload_headers"]]
    head += [f"Content-Length: {len(DATA) + 1}", "", ""]
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall("\r\n".join(head).encode() + DATA)
        wait_for(lambda: sendgrid.admin.calls()[-1]["request_bytes"], bool)
    assert sendgrid.admin.uploads() == []
    assert sendgrid.job(started["job_id"])["status"] == "pending"
    assert sendgrid.admin.calls()[-2]["status"] == 0

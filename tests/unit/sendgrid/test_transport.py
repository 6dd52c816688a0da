"""The only HTTP, against a real server on a socket that answers as told."""

from __future__ import annotations

import io
import time
from contextlib import closing
from email.utils import formatdate
from typing import Any

import pytest

from contact_sync.base.errors import (
    AuthError,
    ConfigError,
    FateUnknown,
    RequestRefused,
    RetryableError,
)
from contact_sync.base.vocabulary import JobStatus
from contact_sync.sendgrid.api import ImportUpload, SendGridApi
from contact_sync.sendgrid.transport import Limits, Transport
from tests.support.scripted_server import ADDRESS, KEY, Script

SAID = {"errors": [{"message": f"email '{ADDRESS}' is not valid", "field": "contacts[0].email"}]}


@pytest.mark.parametrize(
    ("status", "error", "calls"),
    [
        (401, AuthError, 1), (403, AuthError, 1), (400, RequestRefused, 1),
        (404, RequestRefused, 1), (413, RequestRefused, 1), (302, RequestRefused, 1),
        (429, RetryableError, 6), (500, FateUnknown, 1), (503, FateUnknown, 1),
        (408, FateUnknown, 1), (0, FateUnknown, 1),
    ],
)  # fmt: skip
def test_C06_C08_C09_each_answer_to_a_write_has_its_error(
    server: Script, api: SendGridApi, status: int, error: type[Exception], calls: int
) -> None:
    """What may have had an effect is never repeated here; the text names nobody."""
    server.say(status, SAID, Location="http://elsewhere.example/")
    with pytest.raises(error) as caught:
        api.upsert_contacts(b"{}")
    assert type(caught.value) is error
    assert len(server.calls) == calls
    assert ADDRESS not in str(caught.value)
    assert KEY not in str(caught.value)
    assert "PUT /v3/marketing/contacts" in str(caught.value)


def test_without_tls_nothing_was_sent(server: Script) -> None:
    """Also of a call that may have an effect: the handshake comes first, and it is told why."""
    url = server.url.replace("http:", "https:")
    with (
        closing(SendGridApi(url, KEY, limits=Limits(retry_seconds=0.1))) as api,
        pytest.raises(RetryableError, match="TLS failed before anything was sent") as caught,
    ):
        api.upsert_contacts(b"{}")
    assert type(caught.value) is RetryableError


def test_an_address_that_is_not_the_apis_is_told(server: Script, api: SendGridApi) -> None:
    """As a URL with too long a path is: every account answers this call."""
    server.say(404, {"errors": [{"message": "not found"}]})
    with pytest.raises(RequestRefused, match="this isn't the API's URL: correct the host"):
        api.scopes()


@pytest.mark.parametrize("status", [429, 500, 502, 0])
def test_C06_C07_reads_are_repeated_and_bounded(
    server: Script, api: SendGridApi, status: int
) -> None:
    """A read has no effect, so it is tried again; but not for ever."""
    server.say(status)
    server.say(200, {"scopes": ["marketing.read"]})
    assert api.scopes() == {"marketing.read"}
    assert len(server.calls) == 2
    server.answers[:] = []
    server.say(status)
    with pytest.raises(RetryableError):
        api.scopes()
    assert len(server.calls) == 8


@pytest.mark.parametrize(
    ("headers", "low", "high"),
    [
        ({"Retry_After": "17"}, 17, 17),
        ({"X_RateLimit_Reset": "42"}, 42, 42),
        ({"X_RateLimit_Reset": "epoch"}, 4900, 5000),
        ({"Retry_After": "date"}, 4900, 5000),
        ({"Retry_After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0, 0),
        ({"Retry_After": "Mon, 01 Jan 0001 00:00:00 GMT"}, 0, 0),
        ({"Retry_After": "Mon, 01 Jan 0001 00:00:00 -0000"}, 0, 0),
        ({"Retry_After": "soon", "X_RateLimit_Reset": "9"}, 9, 9),
        ({"Retry_After": "17", "X_RateLimit_Reset": "9"}, 17, 17),
        ({"Retry_After": " 17 "}, 17, 17),
        ({"Retry_After": "0"}, 0, 0),
        ({"Retry_After": "9" * 40, "X_RateLimit_Reset": "9"}, 9, 9),
        ({"Retry_After": "NaN", "X_RateLimit_Reset": "9"}, 9, 9),
        ({"X_RateLimit_Reset": "10000000"}, 0, 0),
        ({"Retry_After": "3600"}, 3600, 3600),
    ],
)
def test_C07_rate_limits_say_when(
    server: Script, api: SendGridApi, headers: dict[str, str], low: float, high: float
) -> None:
    """Seconds, a date, seconds left, or epoch seconds."""
    later = int(time.time()) + 5000
    known = {"epoch": str(later), "date": formatdate(later, usegmt=True)}
    server.say(429, b"", **{name: known.get(value, value) for name, value in headers.items()})
    with pytest.raises(RetryableError) as caught:
        api.scopes()
    assert caught.value.retry_after is not None
    assert low <= caught.value.retry_after <= high


@pytest.mark.parametrize(
    "value",
    ["", "soon", "-5", "\u00b2", "1.5.2", "Wed, 99 Oct 2015", "NaN", "inf", "1e3", "9" * 400,
     "86401", "100000000000000",
     "Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 99999 23:59:59 GMT",
     "Fri, 31 Dec 2027 23:59:59 +99999999", "0x10", "5 seconds", "1,000"],
)  # fmt: skip
def test_C07_a_hint_that_cannot_be_read_is_no_hint(
    server: Script, api: SendGridApi, value: str
) -> None:
    """Then the usual pauses apply."""
    server.say(429, b"", Retry_After=value)
    server.say(200, {"scopes": []})
    assert api.scopes() == set()
    server.say(429, b"", Retry_After=value)
    server.answers[:] = server.answers[-1:]
    with pytest.raises(RetryableError) as caught:
        api.scopes()
    assert caught.value.retry_after is None


def test_C07_a_rate_limit_beyond_the_budget_is_left_to_airflow(
    server: Script, api: SendGridApi
) -> None:
    """No process sleeps for an hour."""
    server.say(429, b"", Retry_After="3600")
    with pytest.raises(RetryableError):
        api.scopes()
    assert len(server.calls) == 1


@pytest.mark.parametrize("body", [b"<html>", b'{"errors": {"message": "one"}}', b"[1]", b'{"x":1}'])
def test_error_bodies_of_any_shape_are_read(server: Script, api: SendGridApi, body: bytes) -> None:
    """Object, list, missing, or no JSON at all."""
    server.say(400, body)
    with pytest.raises(RequestRefused) as caught:
        api.upsert_contacts(b"{}")
    assert caught.value.status == 400


def test_a_success_that_is_no_json_is_an_unknown_fate(server: Script, api: SendGridApi) -> None:
    """A proxy's page with status 200 proves nothing."""
    server.say(200, b"<html>hello</html>")
    with pytest.raises(FateUnknown):
        api.upsert_contacts(b"{}")


def test_the_content_type_has_no_charset(server: Script, api: SendGridApi) -> None:
    """SendGrid refuses one; and the key is sent as a bearer."""
    server.say(202, {"job_id": "j"})
    assert api.upsert_contacts(b"{}") == "j"
    api_headers = server.calls[0][2]
    assert api_headers["Content-Type"] == "application/json"
    assert api_headers["Authorization"] == f"Bearer {KEY}"


def test_C13_the_upload_has_exactly_the_given_headers_and_no_key(
    server: Script, api: SendGridApi
) -> None:
    """Signed headers must match, and the storage is somebody else's host."""
    server.say(200)
    target = ImportUpload("j", f"{server.url}/file?X-Amz-Signature=s3cret", {"x-given": "v"})
    api.upload(target, io.BytesIO(b"rows"), 4)
    method, _, headers, body = server.calls[0]
    assert (method, body) == ("PUT", b"rows")
    assert headers == {
        "Host": f"127.0.0.1:{server.port}", "User-Agent": "contact-sync",
        "Accept-Encoding": "identity", "x-given": "v", "Content-Length": "4",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "error"), [(403, RequestRefused), (500, FateUnknown), (0, FateUnknown)]
)
def test_C04_an_upload_is_never_repeated(
    server: Script, api: SendGridApi, status: int, error: type[Exception]
) -> None:
    """One PUT an import; and its signed URL is in no message."""
    server.say(status)
    target = ImportUpload("j", f"{server.url}/file?X-Amz-Signature=s3cret", {})
    with pytest.raises(error) as caught:
        api.upload(target, io.BytesIO(b"rows"), 4)
    assert len(server.calls) == 1
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://api.sendgrid.com", "ftp://x.example", "https://user:pw@x.example", "x.example"]
)
def test_H01_only_https_outside_this_machine(url: str) -> None:
    """The key and the clients' data travel encrypted."""
    with pytest.raises(ConfigError, match="must be an https URL"):
        Transport(url, KEY)


def test_H01_a_real_account_is_not_sent_to_loopback() -> None:
    """A forged upload_uri can't reach services of the worker."""
    api = SendGridApi("https://api.sendgrid.com", KEY)
    with pytest.raises(ConfigError):
        api.upload(ImportUpload("j", "http://127.0.0.1:1/", {}), io.BytesIO(b""), 0)


def test_an_unreachable_host_is_told() -> None:
    """With what to check."""
    with pytest.raises(RetryableError, match="can't be reached; check the connection's host"):
        Transport("http://127.0.0.1:9", KEY)._once("GET", "/v3/scopes", "GET /v3/scopes", {})


@pytest.mark.parametrize(
    ("body", "status", "counts"),
    [
        ({"status": "pending", "results": {"created_count": 3}}, "pending", (3, 0)),
        ({"status": "completed", "results": {"created_count": 3}}, "completed", (3, 0)),
        ({"status": "errored", "results": {"errored_count": 2}}, "errored", (0, 2)),
        ({"status": "failed"}, "failed", (0, 0)),
        ({"status": "resting", "results": None}, "pending", (0, 0)),
        ({}, "pending", (0, 0)),
    ],
)
def test_D01_D08_only_a_known_status_ends_a_job(
    server: Script, api: SendGridApi, body: dict[str, Any], status: str, counts: tuple[int, int]
) -> None:
    """Counts don't, and absent ones are 0."""
    server.say(200, body)
    job = api.job("j/1")
    assert (job.status, job.created, job.errored) == (JobStatus(status), *counts)
    assert job.status.is_terminal == (status != "pending")
    assert server.calls[0][1] == "/v3/marketing/contacts/imports/j%2F1"


def test_lists_are_read_to_the_last_page(server: Script, api: SendGridApi) -> None:
    """Following `_metadata.next`."""
    following = f"{server.url}/v3/marketing/lists?page_size=1000&page_token=t2"
    server.say(200, {"result": [{"name": "A", "id": "1"}], "_metadata": {"next": following}})
    server.say(200, {"result": [{"name": "B", "id": "2"}], "_metadata": {"count": 2}})
    assert api.lists() == {"A": "1", "B": "2"}
    assert server.calls[1][1].endswith("&page_token=t2")


def test_no_match_is_a_404(server: Script, api: SendGridApi) -> None:
    """And not an error."""
    server.say(404, {"errors": [{"message": "not found"}]})
    assert api.contact_ids([ADDRESS]) == {}


def test_only_contacts_with_that_very_address_are_found(server: Script, api: SendGridApi) -> None:
    """The search also matches alternate addresses; such a contact must not be deleted."""
    found = {
        ADDRESS: {"contact": {"id": "1", "email": ADDRESS}},
        "old@example.com": {"contact": {"id": "2", "email": "other@example.com"}},
        "gone@example.com": {"error": "contact not found"},
    }
    server.say(200, {"result": found})
    assert api.contact_ids(list(found)) == {ADDRESS: "1"}


def test_C_delete_all_cannot_be_said(api: SendGridApi) -> None:
    """Never an empty list of ids, never more than 100."""
    for ids in ([], ["x"] * 101):
        with pytest.raises(ValueError, match="1 to 100"):
            api.delete_contacts(ids)

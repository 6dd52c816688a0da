"""What must not get out, in messages or to other hosts; and the files behind signed URLs."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from contact_sync.base.errors import ConfigError, RequestRefused, RetryableError, SyncError
from contact_sync.base.vocabulary import Job, JobStatus
from contact_sync.sendgrid.api import ImportUpload, SendGridApi
from tests.support.scripted_server import ADDRESS, KEY, Script

SIGNED = "/file?X-Amz-Signature=s3cret"
JOB_ID = "5f0c3e5a-job"


def finished(url: str) -> Job:
    """A job with an errors file."""
    return Job(JOB_ID, JobStatus.ERRORED, errored=1, errors_url=url)


CALLS: list[Callable[[SendGridApi, str], object]] = [
    lambda api, _url: api.scopes(),
    lambda api, _url: api.lists(),
    lambda api, _url: api.fields(),
    lambda api, _url: api.job(JOB_ID),
    lambda api, _url: api.upsert_contacts(ADDRESS.encode()),
    lambda api, _url: api.create_import(["e1_T"], "list-id"),
    lambda api, _url: api.contact_ids([ADDRESS]),
    lambda api, _url: api.delete_contacts(["contact-id-1", "contact-id-2"]),
    lambda api, url: api.upload(ImportUpload(JOB_ID, url + SIGNED, {}), io.BytesIO(b"x"), 1),
    lambda api, url: api.errors_file(finished(url + SIGNED), io.BytesIO()),
]
NAMES = [
    "scopes", "lists", "fields", "job", "upsert", "import", "search", "delete", "upload", "errors",
]  # fmt: skip


@pytest.mark.parametrize("status", [302, 400, 403, 429, 500, 0])
@pytest.mark.parametrize("call", CALLS, ids=NAMES)
def test_G10_no_message_of_any_call_holds_an_address_a_key_or_a_query(
    server: Script, api: SendGridApi, call: Callable[[SendGridApi, str], object], status: int
) -> None:
    """Messages go to logs, to Airflow's database and to the run's cause."""
    said = f"email 'o'brien@example.com' and \"{ADDRESS}\" or {ADDRESS}, key {ADDRESS}"
    server.say(status, {"errors": [{"message": said, "field": ADDRESS}]}, Location=ADDRESS)
    with pytest.raises(SyncError) as caught:
        call(api, server.url)
    text = f"{caught.value} {caught.value.__cause__} {caught.value.args}"
    for secret in (KEY, "s3cret", "?", "@", "brien", JOB_ID, "contact-id", "127.0.0.1"):
        assert secret not in text


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("email 'ann@example.com' is not valid", "email … is not valid"),
        ("email 'o'brien@example.com' is not valid", "email … is not valid"),
        ("first_name 'Ann' and last_name 'Lee' clash", "first_name … clash"),
        ('"Ann Lee" is too long', "… is too long"),
        ("ann@example.com: bounced", "… bounced"),
        ("invalid list id", "invalid list id"),
        ("no\r\n2026-11-27 ERROR forged", "no … forged"),
        ("no <https://evil.example|click here>\u202e +41790000001", "no …"),
    ],
)
def test_G10_sendgrids_words_are_told_without_values(
    server: Script, api: SendGridApi, message: str, told: str
) -> None:
    """Whatever quotes they use; the sentence around stays readable."""
    server.say(400, {"errors": [{"message": message}]})
    with pytest.raises(RequestRefused) as caught:
        api.scopes()
    assert str(caught.value) == f"GET /v3/scopes: SendGrid answered 400: {told}"
    assert caught.value.errors == [{"message": message}]


def test_C13_the_errors_file_is_fetched_without_the_key(server: Script, api: SendGridApi) -> None:
    """Byte for byte, from a signed URL of the storage."""
    server.say(200, b"\x1f\x8bnot unpacked here", Content_Encoding="gzip")
    file = io.BytesIO()
    api.errors_file(finished(server.url + SIGNED), file)
    assert file.getvalue() == b"\x1f\x8bnot unpacked here"
    method, path, headers, _ = server.calls[0]
    assert (method, path) == ("GET", SIGNED)
    assert "Authorization" not in headers
    assert KEY not in str(headers)


@pytest.mark.parametrize("status", [302, 403, 404, 500, 0])
def test_D05_an_errors_file_that_is_gone_proves_nothing(
    server: Script, api: SendGridApi, status: int
) -> None:
    """Once a call, no redirect followed; the caller tries again later."""
    server.say(status, b"rows", Location=f"{server.url}/elsewhere")
    with pytest.raises(RetryableError, match=r"^GET errors_url: "):
        api.errors_file(finished(server.url + SIGNED), io.BytesIO())
    assert [path for _, path, _, _ in server.calls] == [SIGNED]


def test_D05_half_an_errors_file_is_not_taken_for_a_whole_one(
    server: Script, api: SendGridApi
) -> None:
    """The connection breaks before the announced end: some refused clients would look confirmed."""
    server.say(200, b"email,error\nann@example.com,bad\n", Content_Length="1000")
    with pytest.raises(RetryableError, match=r"^GET errors_url: "):
        api.errors_file(finished(server.url + SIGNED), io.BytesIO())


def test_H02_a_huge_errors_file_is_not_read_to_its_end(
    server: Script, api: SendGridApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded."""
    monkeypatch.setattr("contact_sync.sendgrid.api.MAX_ERRORS_FILE_BYTES", 1_000)
    server.say(200, b"x" * 1_000)
    file = io.BytesIO()
    api.errors_file(finished(server.url + SIGNED), file)
    assert len(file.getvalue()) == 1_000
    server.say(200, b"x" * 200_000)
    server.answers[:] = server.answers[-1:]
    with pytest.raises(RetryableError, match="larger than 1000 bytes"):
        api.errors_file(finished(server.url + SIGNED), io.BytesIO())


@pytest.mark.parametrize("url", ["http://storage.example/f", "file:///etc/hosts", "", "//x"])
def test_H01_signed_urls_are_https_or_refused(api: SendGridApi, url: str) -> None:
    """Clients' data travels encrypted; no scheme of another kind is opened."""
    with pytest.raises(ConfigError, match="errors_url must be an https URL"):
        api.errors_file(finished(url), io.BytesIO())
    with pytest.raises(ConfigError, match="upload_uri must be an https URL"):
        api.upload(ImportUpload(JOB_ID, url, {}), io.BytesIO(b"x"), 1)


@pytest.mark.parametrize("call", [CALLS[0], CALLS[4], CALLS[8]], ids=["read", "write", "upload"])
def test_H01_no_redirect_is_followed(
    server: Script, api: SendGridApi, call: Callable[[SendGridApi, str], object]
) -> None:
    """It could carry the key or the clients to another host."""
    server.say(307, b"", Location=f"{server.url}/elsewhere")
    server.say(200, {"job_id": "j", "scopes": []})
    with pytest.raises(SyncError):
        call(api, server.url)
    assert len(server.calls) == 1


def test_H07_proxies_and_logins_of_the_environment_are_not_used(
    server: Script, api: SendGridApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stray variable doesn't send the clients elsewhere."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    server.say(200, {"scopes": ["marketing.read"]})
    assert api.scopes() == {"marketing.read"}

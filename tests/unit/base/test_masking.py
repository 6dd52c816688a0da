"""H3: the key and signed URLs are hidden wherever they are logged, and libraries don't log them."""

from __future__ import annotations

import io
import json
import logging
import secrets
from collections.abc import Iterator

import pytest
from airflow.sdk.log import mask_logs

from contact_sync.airflow_edge.hook import SendGridHook
from contact_sync.base.errors import SyncError
from contact_sync.sendgrid.api import ImportUpload, SendGridApi
from tests.support import canary
from tests.support.scripted_server import Script

KEY = "SG.masking-0123456789.of-these-tests-only"
SIGNATURE = "0f1e2d3c4b5a69788796a5b4c3d2e1f0ffeeddcc"
QUERY = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature={SIGNATURE}&X-Amz-Expires=600"


@pytest.fixture
def hooked(server: Script, monkeypatch: pytest.MonkeyPatch) -> Iterator[SendGridApi]:
    """The scripted server's API as a task gets it."""
    connection = {"conn_type": "sendgrid", "host": server.url, "password": KEY}
    monkeypatch.setenv("AIRFLOW_CONN_SENDGRID_DEFAULT", json.dumps(connection))
    api = SendGridHook().get_conn()
    yield api
    api.close()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged at DEBUG, with tracebacks."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.removeHandler(handler)
    root.setLevel(level)


def masked(text: str) -> str:
    """What Airflow writes of it into a task's log."""
    return str(mask_logs(None, "info", {"event": text, "error_detail": [{"exc_value": text}]}))


def test_H03_the_key_is_masked_from_the_start(hooked: SendGridApi) -> None:
    """By our own call, for callers that didn't get it through Airflow's fetching of connections."""
    assert KEY not in masked(f"Authorization: Bearer {KEY}")


@pytest.mark.parametrize("answer", ["upload_uri", "errors_url"])
def test_H03_signed_urls_are_masked_as_soon_as_they_are_known(
    server: Script, hooked: SendGridApi, log: io.StringIO, answer: str
) -> None:
    """Whole, without the host, or only the signature; in a line and in a traceback."""
    signature = secrets.token_hex(20)  # Airflow never forgets one that another test had masked
    query = QUERY.replace(SIGNATURE, signature)
    url = f"{server.url}/{answer}?{query}"
    assert signature in masked(url)
    if answer == "upload_uri":
        server.say(202, {"job_id": "j", "upload_uri": url, "upload_headers": []})
        told = repr(hooked.create_import(["_rf0"], None))
    else:
        server.say(200, {"status": "errored", "results": {"errors_url": url}})
        told = repr(hooked.job("j"))
    assert signature not in told
    log_of_others = logging.getLogger("somebody")
    try:
        int(url)
    except ValueError:
        log_of_others.exception("PUT %s", url)
    log_of_others.info("path /%s?%s", answer, query)
    log_of_others.info("signature %s", signature)
    assert log.getvalue().count(signature) >= 4
    assert signature not in masked(log.getvalue())


@pytest.mark.parametrize("status", [200, 403, 307, 0])
def test_H03_libraries_do_not_log_urls(
    server: Script, api: SendGridApi, log: io.StringIO, status: int
) -> None:
    """With the root logger at DEBUG, as Airflow's log level sets it."""
    server.say(status, b"", Location=f"{server.url}/other?{QUERY}")
    try:
        api.upload(ImportUpload("j", f"{server.url}/f?{QUERY}", {}), io.BytesIO(b"x"), 1)
    except SyncError:
        assert status != 200
    assert len(server.calls) == 1
    assert SIGNATURE not in log.getvalue()


def test_H03_not_even_as_a_warning(server: Script, api: SendGridApi, log: io.StringIO) -> None:
    """An answer with a broken header makes urllib3 warn with the whole URL."""
    server.say(200, b"", **{"no colon here\r\nX": "1"})
    target = ImportUpload("j", f"{server.url}/f?{QUERY}", {})
    api.upload(target, io.BytesIO(b"x"), 1)
    assert SIGNATURE not in log.getvalue()
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    api.upload(target, io.BytesIO(b"x"), 1)
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    assert SIGNATURE in log.getvalue(), "the library has changed: this test proves nothing now"
    assert len(canary.hits.take()) == 1  # the session's scanner has seen it too

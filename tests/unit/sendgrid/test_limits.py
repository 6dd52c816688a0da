"""H2, H5: no answer takes for ever, fills the memory or comes over an unproven connection."""

from __future__ import annotations

import datetime
import io
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from contact_sync.base.errors import FateUnknown, RequestRefused, RetryableError, SyncError
from contact_sync.base.vocabulary import Job, JobStatus
from contact_sync.sendgrid.api import ImportUpload, SendGridApi
from contact_sync.sendgrid.transport import Limits
from tests.support.scripted_server import KEY, Script

QUICK = Limits(answer_seconds=0.15, download_seconds=0.15, upload_seconds=0.15)
DRIP_SECONDS = 0.02
DRIPS = (
    200  # after 4 s the answer is complete: a call without a deadline succeeds, and the test fails
)
OK = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on loopback that hands each connection to `answer`; gives its port."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    answer(connection)
                except OSError:
                    continue  # the other side has cut it, as it should

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def dripping(before: bytes, drip: bytes, after: bytes) -> Callable[[socket.socket], None]:
    """Take a request, then answer a few bytes at a time."""

    def answer(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(before)
        for _ in range(DRIPS):
            connection.sendall(drip)
            time.sleep(DRIP_SECONDS)
        connection.sendall(after)

    return answer


BODY = b'{"scopes": ["x"], "job_id": "j"}'
SLOW = {
    "status line": dripping(b"HTTP/1.1 200 O", b"K", b"\r\nContent-Length: 32\r\n\r\n" + BODY),
    "headers": dripping(OK + b"X: ", b"x", b"\r\nContent-Length: 32\r\n\r\n" + BODY),
    "body": dripping(OK + b"Content-Length: %d\r\n\r\n" % (DRIPS + 32), b" ", BODY),
    "body without a length": dripping(OK + b"\r\n" + BODY, b" ", b""),
    "chunks": dripping(OK + b"Transfer-Encoding: chunked\r\n\r\n20\r\n" + BODY + b"\r\n",
                       b"1\r\n \r\n", b"0\r\n\r\n"),
    "chunk size": dripping(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0",
                           b"20\r\n" + BODY + b"\r\n0\r\n\r\n"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """One try; the pauses between tries are tested elsewhere."""
    monkeypatch.setattr("contact_sync.sendgrid.retries.MAX_TRIES", 1)


@pytest.mark.parametrize("where", SLOW)
def test_H02_a_slow_drip_ends_at_the_deadline(where: str) -> None:
    """Each byte comes in time, the whole doesn't: a read may be repeated, a write is unknown."""
    with serving(SLOW[where]) as port:
        url = f"http://127.0.0.1:{port}"
        api = SendGridApi(url, KEY, limits=QUICK)
        with pytest.raises(RetryableError, match=r"GET /v3/scopes: no answer came in time"):
            api.scopes()
        with pytest.raises(
            FateUnknown, match=r"PUT /v3/marketing/contacts: no answer came in time"
        ):
            api.upsert_contacts(b"{}")
        with pytest.raises(RetryableError, match=r"GET errors_url: no answer came in time"):
            api.errors_file(Job("j", JobStatus.ERRORED, errors_url=f"{url}/f"), io.BytesIO())
        api.close()


@pytest.mark.parametrize("where", ["status line", "headers"])
def test_H02_a_storage_that_answers_too_slowly_has_an_unknown_fate(where: str) -> None:
    """The file may be there."""
    with serving(SLOW[where]) as port:
        url = f"http://127.0.0.1:{port}"
        with pytest.raises(FateUnknown, match="PUT upload_uri: no answer came in time"):
            SendGridApi(url, KEY, limits=QUICK).upload(
                ImportUpload("j", f"{url}/f", {}), io.BytesIO(b"rows"), 4
            )


def test_H02_an_upload_that_is_not_taken_ends_at_the_deadline() -> None:
    """The storage accepts the connection and reads nothing for long."""
    cut = threading.Event()
    size = 64 << 20

    def answer(connection: socket.socket) -> None:
        cut.wait(4)
        taken = 0
        while taken < size and (piece := connection.recv(1 << 20)):
            taken += len(piece)
        connection.sendall(OK + b"Content-Length: 0\r\n\r\n")

    with serving(answer) as port:
        url = f"http://127.0.0.1:{port}"
        with pytest.raises(FateUnknown, match="PUT upload_uri: no answer came in time"):
            SendGridApi(url, KEY, limits=QUICK).upload(
                ImportUpload("j", f"{url}/f", {}), io.BytesIO(bytes(size)), size
            )
        cut.set()


def test_H02_a_handshake_that_drips_ends_at_the_deadline() -> None:
    """A TLS record is announced and comes byte by byte."""
    record = dripping(b"\x16\x03\x03\x40\x00", b"\x00", b"")
    to_the_end = []

    def answer(connection: socket.socket) -> None:
        record(connection)
        to_the_end.append(True)

    with (
        serving(answer) as port,
        pytest.raises(RetryableError, match=r"GET /v3/scopes"),
    ):
        SendGridApi(f"https://127.0.0.1:{port}", KEY, limits=QUICK).scopes()
    assert to_the_end == []


def test_H02_a_deadline_concerns_one_call_only(server: Script) -> None:
    """The next one, on the same connection or a new one, has its own."""
    api = SendGridApi(server.url, KEY, limits=Limits(answer_seconds=5))
    server.say(200, {"scopes": ["x"]})
    assert [api.scopes() for _ in range(20)] == [{"x"}] * 20
    api.close()


@pytest.mark.parametrize("status", [200, 400, 500])
def test_H02_an_answer_is_not_read_beyond_its_cap(server: Script, status: int) -> None:
    """Memory is bounded; what the status says holds all the same."""
    api = SendGridApi(server.url, KEY, limits=Limits(answer_bytes=1_000))
    server.say(status, b'{"job_id": "j", "x": "%s"}' % (b"x" * 970))
    if status == 200:
        assert api.upsert_contacts(b"{}") == "j"
    server.answers[:] = []
    server.say(status, b'{"job_id": "%s"}' % (b"x" * 200_000))
    errors = {200: FateUnknown, 400: RequestRefused, 500: FateUnknown}
    with pytest.raises(errors[status]) as caught:
        api.upsert_contacts(b"{}")
    assert type(caught.value) is errors[status]
    assert len(str(caught.value)) < 300


BOMBS = {
    "arrays": b"[" * 100_000,
    "objects": b'{"a":' * 100_000,
    "whole": b"[" * 100_000 + b"]" * 100_000,
    "digits": b'{"job_id": ' + b"9" * 100_000 + b"}",
    "not UTF-8": b'{"job_id": "\xff\xfe"}',
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    "half": b'{"job_id": "j',
}


@pytest.mark.parametrize("what", BOMBS)
@pytest.mark.parametrize("status", [200, 400])
def test_H02_an_answer_that_is_no_json_is_an_error_of_ours(
    server: Script, api: SendGridApi, what: str, status: int
) -> None:
    """Nested too deeply, endless numbers, another encoding, broken off."""
    server.say(status, BOMBS[what])
    with pytest.raises(SyncError) as caught:
        api.upsert_contacts(b"{}")
    assert type(caught.value) is (FateUnknown if status == 200 else RequestRefused)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine that only its own key has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    pkcs8 = serialization.PrivateFormat.PKCS8
    path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, pkcs8, plain))
    return path


@contextmanager
def tls_server(
    certificate: Path, version: ssl.TLSVersion | None = None
) -> Iterator[tuple[int, list[bytes]]]:
    """An https server that answers every request well; gives its port and what it was asked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if version is not None:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
    asked: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            asked.append(secure.recv(1 << 16))
            secure.sendall(OK + b"Content-Length: 32\r\nConnection: close\r\n\r\n" + BODY)

    with serving(answer) as port:
        yield port, asked


def test_H05_a_server_that_proves_nothing_gets_nothing(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No option and no variable of the environment switches that off."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(certificate))
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    with tls_server(certificate) as (port, asked):
        with pytest.raises(RetryableError, match="TLS failed before anything was sent"):
            SendGridApi(f"https://localhost:{port}", KEY).scopes()
        assert asked == []


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", ["TLSv1_1", "TLSv1_2", "TLSv1_3"])
def test_H05_tls_is_1_2_at_least(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """With a trusted certificate, so that only the version is judged."""
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))
    with tls_server(certificate, ssl.TLSVersion[version]) as (port, asked):
        api = SendGridApi(f"https://localhost:{port}", KEY)
        if version == "TLSv1_1":
            with pytest.raises(RetryableError, match="answer came"):
                api.scopes()
            assert asked == []
        else:
            assert api.scopes() == {"x"}
            assert KEY.encode() in asked[0]
        api.close()


def test_the_bodies_above_are_what_they_announce() -> None:
    """Else the server's mistake would be what is refused."""
    assert len(BODY) == 0x20
    assert json.loads(BODY)["scopes"] == ["x"]


@pytest.mark.parametrize("hint", [{}, {"Retry_After": "5"}])
def test_H02_who_waits_for_a_page_is_told_at_once(server: Script, hint: dict[str, str]) -> None:
    """With no time for another try there is none, whatever SendGrid hints."""
    server.say(429, {"errors": []}, **hint)
    api = SendGridApi(server.url, KEY, limits=Limits(retry_seconds=0))
    with pytest.raises(RetryableError):
        api.scopes()
    assert len(server.calls) == 1
    api.close()

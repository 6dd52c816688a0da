"""H1: neither a forged answer nor a careless connection sends data to the wrong place."""

from __future__ import annotations

import io
import socket
from typing import Any

import pytest

from contact_sync.base.errors import ConfigError
from contact_sync.base.vocabulary import Job, JobStatus
from contact_sync.sendgrid.allowed_hosts import check_api_url, check_public, check_storage_url
from contact_sync.sendgrid.api import ImportUpload, SendGridApi
from tests.support.scripted_server import KEY

S3 = "bucket.s3.us-east-1.amazonaws.com"
GOOD = [
    f"https://{S3}/key?X-Amz-Signature=00ff",
    f"https://{S3}:443/key?X-Amz-Signature=00ff",
    "https://storage.googleapis.com/bucket/key",
    "https://api.sendgrid.com/v3/uploads/1",
    f"HTTPS://{S3.upper()}/key",
]
HOSTILE = [
    "",
    "//x",
    "https://",
    "https:///etc/passwd",
    "file:///etc/passwd",
    f"file://{S3}/etc/passwd",
    f"ftp://{S3}/key",
    f"gopher://{S3}/key",
    f"http://{S3}/key",
    "https://127.0.0.1/",
    "https://localhost/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[fe80::1%25eth0]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1/",
    "https://93.184.216.34/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://017700000001/",
    "https://0/",
    "https://metadata.google.internal/",
    "https://evil.example/",
    "https://amazonaws.com.evil.example/",
    "https://evilamazonaws.com/",
    f"https://ann:pw@{S3}/key",
    f"https://ann@{S3}/key",
    f"https://{S3}@evil.example/",
    f"https://evil.example#@{S3}/",
    f"https://evil.example\\@{S3}/",
    f"https://evil.example\\.{S3}/",
    f"https://evil.example?.{S3}/",
    f"https://evil.example/.{S3}/",
    f"https://{S3}:8443/key",
    f"https://{S3}:22/key",
    f"https://evil.example\t.{S3}/",
    f"https://evil.example .{S3}/",
    f"https://{S3}\r\nHost: evil.example/",
    "https://s3.amazonaws\uff0ecom/",
    "https://\uff53\uff13.amazonaws.com/",
    f"https://{S3}./key",
    "https://.amazonaws.com/",
    "https://127.0.0.1.amazonaws.com%2eevil.example/",
]


@pytest.mark.parametrize("url", GOOD)
def test_H01_storages_of_sendgrid_are_allowed(url: str) -> None:
    """By https, under a known domain, at the usual port."""
    check_storage_url(url, "upload_uri")


@pytest.mark.parametrize("url", HOSTILE)
def test_H01_every_other_url_is_refused(url: str) -> None:
    """Before a name is looked up; and the message holds neither path nor query nor login."""
    with pytest.raises(ConfigError) as caught:
        check_storage_url(url, "upload_uri")
    for part in ("passwd", "meta-data", "pw", "key", "\r", "\n", "\t"):
        assert part not in str(caught.value)


def test_H01_an_at_sign_in_the_path_is_no_login() -> None:
    """What looks hostile and isn't: the host ends at the first slash."""
    check_storage_url(f"https://{S3}/key@evil.example:99/", "upload_uri")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/f", "http://[::1]:80/f"])
def test_H01_loopback_is_for_an_api_on_loopback_only(url: str) -> None:
    """The emulator's own storage, and no way from a real account to this machine."""
    check_storage_url(url, "errors_url", loopback=True)
    with pytest.raises(ConfigError):
        check_storage_url(url, "errors_url")
    with pytest.raises(ConfigError):
        check_storage_url("http://192.168.0.1:8080/f", "errors_url", loopback=True)


def test_H01_the_owner_may_name_further_hosts() -> None:
    """A domain with all below it for the storage; exactly the host for the key."""
    check_storage_url("https://eu.store.example/x", "upload_uri", ["store.example"])
    check_api_url("https://proxy.example/sendgrid", ["proxy.example"])
    for url in ("https://a.proxy.example", "http://proxy.example", "https://proxy.example:8443"):
        with pytest.raises(ConfigError):
            check_api_url(url, ["proxy.example"])


@pytest.mark.parametrize("url", [*HOSTILE, *GOOD[:3], "https://api.sendgrid.com?x", "x.example"])
def test_H01_the_key_goes_to_sendgrid_only(url: str) -> None:
    """Not to a storage either; loopback is the emulator's."""
    if url in ("https://127.0.0.1/", "https://localhost/", "https://[::1]/"):
        check_api_url(url)
        return
    with pytest.raises(ConfigError):
        SendGridApi(url, KEY)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1",
        "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1",
    ],
)  # fmt: skip
def test_H01_names_lead_to_public_addresses_only(address: str) -> None:
    """One bad address among good ones is enough."""
    check_public("s3.amazonaws.com", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
    with pytest.raises(ConfigError, match="an address that isn't public"):
        check_public("s3.amazonaws.com", ["93.184.216.34", address])


class Names:
    """A name server that gives other answers later, and what came to the machine it names."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, listener: socket.socket) -> None:
        self.answers: list[str] = []
        self.port = listener.getsockname()[1]
        monkeypatch.setattr(socket, "getaddrinfo", self.look_up)

    def look_up(self, host: str, *_rest: Any, **_options: Any) -> list[Any]:
        """In the form of `socket.getaddrinfo`."""
        assert host == S3
        address = self.answers.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, self.port))]


def upload(api: SendGridApi) -> None:
    """Clients to the storage."""
    api.upload(ImportUpload("j", f"https://{S3}/f?s=1", {}), io.BytesIO(b"clients"), 7)


def download(api: SendGridApi) -> None:
    """An errors file from it."""
    api.errors_file(Job("j", JobStatus.ERRORED, errors_url=f"https://{S3}/f?s=1"), io.BytesIO())


@pytest.mark.parametrize("call", [upload, download])
@pytest.mark.parametrize("answers", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"]])
def test_H01_a_name_that_leads_inside_gets_nothing(
    call: Any, answers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it is public at the first look and not at the second (DNS rebinding)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        names = Names(monkeypatch, listener)
        names.answers = list(answers)
        with pytest.raises(ConfigError, match="leads to an address that isn't public"):
            call(SendGridApi("https://api.sendgrid.com", KEY))
        assert names.answers == []
        if len(answers) > 1:
            connected, _ = listener.accept()
            with connected:
                assert connected.recv(100) == b""

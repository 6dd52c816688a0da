"""SendGrid's words about refused contacts, in every layout they may come."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contact_sync.base.errors import RetryableError
from contact_sync.sendgrid import errors_file
from contact_sync.sendgrid.errors_file import read_errors

CSV = "email,first_name,error\nAnn@Example.com,Ann,invalid phone\nb@example.com,Bob,bad date\n"
REFUSED = {"ann@example.com": "invalid phone", "b@example.com": "bad date"}
ROWS = [{"identifier": "Ann@Example.com", "message": "invalid phone"},
        {"identifier": "b@example.com", "message": "bad date"}]  # fmt: skip


@pytest.mark.parametrize(
    "raw",
    [
        CSV.encode(),
        gzip.compress(CSV.encode()),
        b"\xef\xbb\xbf" + CSV.encode(),
        CSV.replace("\n", "\r\n").encode(),
        CSV.replace("email,first_name,error", "Contact,Name,REASON").encode(),
        json.dumps(ROWS).encode(),
        json.dumps({"errors": ROWS}).encode(),
        b"\xef\xbb\xbf" + json.dumps(ROWS).encode(),
    ],
    ids=["csv", "gzip", "bom", "crlf", "other names", "json list", "json object", "json bom"],
)
def test_D05_every_known_layout_is_read(raw: bytes) -> None:
    """The format is documented nowhere."""
    assert read_errors(raw) == REFUSED


@pytest.mark.parametrize("raw", [b"", b"no,address\n1,2\n", b"[]", b'{"x": 1}'])
def test_a_file_without_addresses_names_nobody(raw: bytes) -> None:
    """The caller compares with the job's count and confirms nothing."""
    assert read_errors(raw) == {}


@pytest.mark.parametrize(
    "raw",
    [
        b"\x1f\x8b\x08garbage",
        gzip.compress(CSV.encode())[:-12],
        b"\xff\xfe\xfa",
        b'[{"a": ',
        b"[" * 200_000,
        b"email\n" + b"a" * 200_000,
    ],
    ids=["no gzip", "truncated", "no text", "no json", "nested", "long field"],
)
def test_D05_an_unreadable_file_is_told(raw: bytes) -> None:
    """Never taken for an empty one."""
    with pytest.raises(RetryableError, match="errors file can't be read"):
        read_errors(raw)


def test_H02_a_zip_bomb_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many bytes are unpacked, of a file that could be read otherwise."""
    bomb = gzip.compress(CSV.encode() + b"\n" * 200_000)
    assert read_errors(bomb) == REFUSED
    monkeypatch.setattr(errors_file, "MAX_BYTES", 100_000)
    with pytest.raises(RetryableError):
        read_errors(bomb)


def test_H02_a_file_that_grows_too_much_is_stopped() -> None:
    """Below the cap in bytes, but hundreds of times larger than what was downloaded."""
    padded = CSV.encode() + b"\n" * (2 * errors_file.FREE_BYTES)
    assert len(padded) < errors_file.MAX_BYTES
    assert read_errors(padded) == REFUSED
    with pytest.raises(RetryableError):
        read_errors(gzip.compress(padded))


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_D05_any_bytes_are_read_or_told(raw: bytes) -> None:
    """Nothing else comes out, gzipped or not, and every address has a reason."""
    for form in (raw, gzip.compress(raw)):
        try:
            found = read_errors(form)
        except RetryableError:
            continue
        assert all(address == address.lower() and reason for address, reason in found.items())


@pytest.mark.parametrize("at", range(10, len(gzip.compress(CSV.encode(), mtime=0))))
def test_D05_one_wrong_byte_in_a_gzip_file_is_told(at: int) -> None:
    """No refused client is taken for a confirmed one."""
    raw = bytearray(gzip.compress(CSV.encode(), mtime=0))
    raw[at] ^= 0x55
    with pytest.raises(RetryableError):
        read_errors(bytes(raw))

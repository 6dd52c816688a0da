"""SendGrid's words about refused contacts, in every layout they may come."""

from __future__ import annotations

import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contact_sync.base.errors import RetryableError
from contact_sync.sendgrid import errors_file, errors_json
from contact_sync.sendgrid.errors_file import read_errors

CSV = "email,first_name,error\nAnn@Example.com,Ann,invalid phone\nb@example.com,Bob,bad date\n"
REFUSED = {"ann@example.com": "invalid phone", "b@example.com": "bad date"}
ADDRESS = "ann@example.com"
ROWS = [{"identifier": "Ann@Example.com", "message": "invalid phone"},
        {"identifier": "b@example.com", "message": "bad date"}]  # fmt: skip


def read(raw: bytes) -> dict[str, str]:
    """What the file says, whole."""
    return dict(read_errors(io.BytesIO(raw)))


def table(separator: str) -> str:
    """The same rows with another separator."""
    return CSV.replace(",", separator)


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
        table(";").encode(),
        table("\t").encode(),
        table("|").encode(),
        CSV.replace("\n", "\r").encode(),
        b"\n\n" + CSV.encode(),
        b"sep=;\r\n" + table(";").encode(),
        CSV.encode("utf-16"),
        CSV.encode("utf-16-le"),
        CSV.encode("utf-16-be"),
        gzip.compress(table("\t").encode("utf-16")),
        gzip.compress(CSV[:40].encode()) + gzip.compress(CSV[40:].encode()),
        CSV.split("\n", 1)[1].replace("Ann,", "").replace("Bob,", "").encode(),
        "\n".join(map(json.dumps, ROWS)).encode(),
        ",\n".join(map(json.dumps, ROWS)).encode(),
        json.dumps(ROWS).encode("utf-16"),
        json.dumps({"result": {"errors": ROWS, "count": 2}}, indent=2).encode(),
        json.dumps(REFUSED).encode(),
        json.dumps({"errors": REFUSED, "warnings": None}).encode(),
    ],
    ids=["csv", "gzip", "bom", "crlf", "other names", "json list", "json object", "json bom",
         "semicolon", "tab", "bar", "cr", "empty lines", "excel's separator", "utf-16",
         "utf-16 le", "utf-16 be", "utf-16 gzip", "two gzips", "no header", "json lines",
         "json commas", "json utf-16", "json nested", "json map", "json map inside"],
)  # fmt: skip
def test_D05_every_known_layout_is_read(raw: bytes) -> None:
    """The format is documented nowhere."""
    assert read(raw) == REFUSED


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("email", ["'ann@example.com", "`ann@example.com", "a|n'n@example.com"])
def test_D05_an_address_that_begins_with_a_quote_is_not_somebody_elses(
    email: str, separator: str
) -> None:
    """RFC 5322 allows it; with the quote taken off another client would be refused."""
    row = [email, "bob@example.com", "bad"]
    lines = [["email", "friend", "error"], row]
    assert read("\n".join(map(separator.join, lines)).encode()) == {email: "bad"}
    assert read(json.dumps([{"email": email, "error": "bad"}]).encode()) == {email: "bad"}
    assert read(f"email,error\n'{ADDRESS}',bad".encode()) == {ADDRESS: "bad"}


@pytest.mark.parametrize(
    "header",
    ["email,error", "E-Mail,Error", "EMAIL ADDRESS,Error Message", "email_address,error_message",
     "Contact Email,Failure Reason", "identifier,message", '"e-mail","Error(s)"',
     "\u00a0Email ,Reason for failure", "Recipient,Details", "x,y", "mail,error_code",
     "Contact (E-Mail),Warum?"],
)  # fmt: skip
def test_D05_columns_are_known_under_many_names(header: str) -> None:
    """Without case, spaces and punctuation; of two columns the other one is the reason."""
    assert read(f"{header}\nAnn@Example.com,invalid phone\n".encode()) == {ADDRESS: "invalid phone"}


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        # Columns before, between and behind, of which nothing is known
        ("row,email,custom,error,code\n7,ann@example.com,x,bad date,12\n", "bad date"),
        # The reason holds the address, or another one
        ("error,email\nemail 'ann@example.com' is bad,ann@example.com\n",
         "email 'ann@example.com' is bad"),
        ("error,who\nnot as bob@example.com,ann@example.com\n", "not as bob@example.com"),
        ("message\nemail 'ann@example.com' is not valid\n", "email 'ann@example.com' is not valid"),
        # Another address of the same contact
        ("alternate_emails,email,error\nb@example.com,ann@example.com,bad\n", "bad"),
        ("email,manager_email,error\nann@example.com,b@example.com,bad\n", "bad"),
        ("who,error\nAnn <ann@example.com>,bad\n", "bad"),
        ("who,error\nmailto:ann@example.com,bad\n", "bad"),
        ('email,error\n"ann@example.com","two\nlines, a comma"\n', "two\nlines, a comma"),
        ("email,error\nann@example.com\n", "refused"),
        ("email,error\nann@example.com,bad,more,cells\n", "bad"),
        ('[{"email": "ann@example.com", "errors": [{"field": "x", "message": "bad"}]}]', "bad"),
        ('{"email": "ann@example.com", "errors": [{"message": "bad"}, {"message": "worse"}]}',
         "bad; worse"),
        ('[{"contact": {"email": "ann@example.com"}, "error": {"code": 3, "message": "bad"}}]',
         "bad"),
        ('{"errors": ["ann@example.com: bad"]}', "ann@example.com: bad"),
        ('{"owner": "o@example.com", "errors": [{"email": "ann@example.com", "error": "bad"}]}',
         "bad"),
        ('[null, 5, {"email": "ann@example.com", "error": null}]', "refused"),
    ],
)  # fmt: skip
def test_D05_the_refused_address_is_told_from_all_others(raw: str, found: str) -> None:
    """A row is about one contact, whatever else it says."""
    assert read(raw.encode()) == {ADDRESS: found}


@pytest.mark.parametrize(
    "raw",
    ["x,y,error\nann@example.com,b@example.com,bad\n", '[{"x": "a@x.com", "y": "b@x.com"}]',
     "error\nneither a@x.com nor b@x.com\n"],
)  # fmt: skip
def test_D05_a_row_with_two_addresses_of_unknown_meaning_names_nobody(raw: str) -> None:
    """The job's count shows that somebody is missing, and who it is is found by reading back."""
    assert read(raw.encode()) == {}


def test_D05_a_container_may_be_as_long_as_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row is in memory at a time."""
    monkeypatch.setattr(errors_json, "MAX_VALUE", 200)
    monkeypatch.setattr(errors_json, "PIECE", 64)
    many = [{"email": f"c{n}@example.com", "error": "bad"} for n in range(100)]
    wanted = {row["email"]: "bad" for row in many}
    for data in (
        many, {"a": 1, "errors": many, "b": {}}, {"result": {"count": 5, "errors": many}}, wanted,
        {"errors": wanted},
    ):  # fmt: skip
        assert read(json.dumps(data).encode()) == wanted
        with pytest.raises(RetryableError, match="can't be read"):
            read(json.dumps(data)[:-1].encode())
    with pytest.raises(RetryableError, match="can't be read"):
        read(json.dumps([{"email": ADDRESS, "error": "x" * 300}]).encode())


@pytest.mark.parametrize("raw", [b"", b"no,address\n1,2\n", b"[]", b'{"x": 1}'])
def test_a_file_without_addresses_names_nobody(raw: bytes) -> None:
    """The caller compares with the job's count and confirms nothing."""
    assert read(raw) == {}


@pytest.mark.parametrize(
    "raw",
    [
        b"\x1f\x8b\x08garbage",
        gzip.compress(CSV.encode())[:-12],
        b"\xff\xfe\xfa",
        b'[{"a": ',
        b"[" * 200_000,
        b"email\n" + b"a" * 200_000,
        b"a," * 600_000,
        b"\n" * 6_000_000,
        b"email\n" + CSV.encode("latin-1") + b"Zo\xeb\n",
        b"PK\x03\x04\xff\xff" + bytes(100),
    ],
    ids=[
        "no gzip",
        "truncated",
        "no text",
        "no json",
        "nested",
        "long field",
        "long line",
        "lines",
        "latin-1",
        "zip",
    ],
)
def test_D05_an_unreadable_file_is_told(raw: bytes) -> None:
    """Never taken for an empty one."""
    with pytest.raises(RetryableError, match="errors file can't be read"):
        read(raw)


def test_H02_a_zip_bomb_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many bytes are unpacked, of a file that could be read otherwise."""
    bomb = gzip.compress(CSV.encode() + b"\n" * 200_000)
    assert read(bomb) == REFUSED
    monkeypatch.setattr(errors_file, "MAX_BYTES", 100_000)
    with pytest.raises(RetryableError):
        read(bomb)


def test_H02_a_file_that_grows_too_much_is_stopped() -> None:
    """Below the cap in bytes, but hundreds of times larger than what was downloaded."""
    padded = CSV.encode() + b"\n" * (2 * errors_file.FREE_BYTES)
    assert len(padded) < errors_file.MAX_BYTES
    assert read(padded) == REFUSED
    with pytest.raises(RetryableError):
        read(gzip.compress(padded))


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_D05_any_bytes_are_read_or_told(raw: bytes) -> None:
    """Nothing else comes out, gzipped or not, and every address has a reason."""
    for form in (raw, gzip.compress(raw)):
        try:
            found = read(form)
        except RetryableError:
            continue
        assert all(address == address.lower() and reason for address, reason in found.items())


@pytest.mark.parametrize("at", range(10, len(gzip.compress(CSV.encode(), mtime=0))))
def test_D05_one_wrong_byte_in_a_gzip_file_is_told(at: int) -> None:
    """No refused client is taken for a confirmed one."""
    raw = bytearray(gzip.compress(CSV.encode(), mtime=0))
    raw[at] ^= 0x55
    with pytest.raises(RetryableError):
        read(bytes(raw))

"""Files of exports, in all forms that SendGrid may give them: a stream of contacts."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import deque
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from contact_sync.base.errors import RetryableError
from contact_sync.sendgrid import export_files
from contact_sync.sendgrid.export_files import Fetched, chunks_of, contacts_of

ANN = {"contact_id": "1", "email": "ann@example.com", "first_name": "Änn\n, \"x\"",
       "custom_fields": {"Status": "new", "Score": 1.5}}  # fmt: skip
BEN = {"contact_id": "2", "email": "ben@example.com", "custom_fields": {}}
LINES = b"".join(json.dumps(c).encode() + b"\n" for c in (ANN, BEN))
LIST = json.dumps([ANN, BEN]).encode()
CSV = (
    '"EMAIL","FIRST_NAME","CONTACT_ID","Status","Score"\r\n'
    'ann@example.com,"Änn\n, ""x""",1,new,1.5\r\nben@example.com,,2,,\r\n\r\n'
).encode()
FORMS = {
    "lines": LINES,
    "list": LIST,
    "indented list": json.dumps([ANN, BEN], indent=1).encode(),
    "with a byte order mark": b"\xef\xbb\xbf" + LINES,
    "no line end": LINES.rstrip(),
}


def cut(data: bytes, size: int) -> Iterator[bytes]:
    """A file as it comes, in pieces."""
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("form", FORMS)
def test_contacts_are_read_whatever_the_form(form: str, size: int) -> None:
    """Wherever a piece ends: in a character, in a contact, in gzip's header."""
    for data in (FORMS[form], gzip.compress(FORMS[form])):
        assert list(contacts_of(cut(data, size))) == [ANN, BEN]


@pytest.mark.parametrize("size", [1, 100_000])
def test_csv_is_read_by_its_header(size: int) -> None:
    """Reserved fields by their lower-case names, custom ones by their own; empty = not there."""
    ann, ben = contacts_of(cut(gzip.compress(CSV), size))
    assert (ann["email"], ann["first_name"]) == (ANN["email"], ANN["first_name"])
    assert ann["custom_fields"].items() >= {"Status": "new", "Score": "1.5"}.items()
    assert "first_name" not in ben
    assert "Status" not in ben["custom_fields"]


SCHEMA = pa.schema(
    [
        ("email", pa.string()),
        ("first_name", pa.string()),
        ("custom_fields", pa.struct([("Status", pa.string()), ("Score", pa.float64())])),
    ]
)


def emails_in(chunks: Iterator[pa.Table | list[dict[str, Any]]]) -> list[str]:
    """Of all chunks, whatever they are."""
    return [
        email
        for chunk in chunks
        for email in (
            chunk.column("email").to_pylist()
            if isinstance(chunk, pa.Table)
            else [contact["email"] for contact in chunk]
        )
    ]


@pytest.mark.parametrize("size", [1, 100, 100_000])
def test_lines_are_read_as_tables(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the columns that are asked for; what is absent is null."""
    monkeypatch.setattr(export_files, "BLOCK", 100)
    one = next(chunks_of(cut(gzip.compress(LINES), size), SCHEMA))
    assert isinstance(one, pa.Table)
    first, said = one.to_pylist()[0], ("first_name", "custom_fields")
    assert [first[name] for name in said] == [ANN[name] for name in said]
    found = list(chunks_of(cut(LINES * 9, size), SCHEMA))
    assert emails_in(iter(found)) == [ANN["email"], BEN["email"]] * 9
    assert (len(found) > 1) == (size < 10_000)


@pytest.mark.parametrize("form", [*FORMS, "csv", "other types", "half a surrogate"])
def test_what_is_no_table_is_read_contact_by_contact(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All forms, values of other types, and what only Python's JSON takes."""
    monkeypatch.setattr(export_files, "BLOCK", 100)
    others = {
        "csv": CSV,
        "other types": LINES.replace(b"1.5", b'"1.5"'),
        "half a surrogate": LINES.replace(b"new", rb"\ud800"),
    }
    data = (FORMS | others)[form]
    assert emails_in(chunks_of([data], SCHEMA)) == [ANN["email"], BEN["email"]]


@pytest.mark.parametrize("data", [LINES[:-9], LINES + b"x", LINES.replace(b"new", b"\xff")])
def test_a_line_that_cant_be_read_is_told(data: bytes) -> None:
    """As of contacts one by one."""
    with pytest.raises(RetryableError, match="can't be read"):
        list(chunks_of([data], SCHEMA))


@pytest.mark.parametrize("data", [b"", b"\n", b"[]", gzip.compress(b"", mtime=0), b"EMAIL,CITY\n"])
def test_an_export_may_be_empty(data: bytes) -> None:
    assert list(contacts_of([data])) == []
    assert list(chunks_of([data], SCHEMA)) == []


def test_joined_gzip_files_are_one() -> None:
    """As gzip allows, also with zeros behind."""
    data = gzip.compress(LINES) + gzip.compress(LINES) + b"\0" * 100
    assert len(list(contacts_of([data]))) == 4


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (gzip.compress(LINES)[:-20], "cut off"),
        (gzip.compress(LINES)[:-1], "cut off"),
        (gzip.compress(b"")[:2] + b"x" * 50, "no gzip"),
        (LINES[:-9], "ends within a contact"),
        (LIST[: LIST.index(b"ben")], "ends within a contact"),
        (b'{"email": "a@example.com"}\nnot a contact', "isn't JSON"),
        (b"[1, 2]", "no contact"),
        (LINES.replace(b"new", b"\xff"), "UTF-8"),
        (b"<html>Access Denied</html>", "no column EMAIL"),
        (CSV[:-20] + b"\n", "another number of columns"),
        (b'{"a":' * 200_000, "isn't JSON"),
    ],
    ids=range(11),
)
def test_what_cant_be_read_is_told(data: bytes, why: str) -> None:
    """And no contact's data is in the words."""
    with pytest.raises(RetryableError, match=why) as told:
        list(contacts_of(cut(data, 1000)))
    assert "example.com" not in str(told.value)


def test_a_bomb_ends_early() -> None:
    """A gigabyte in a megabyte isn't unpacked: memory and time stay bounded."""
    made: list[int] = []

    def bomb() -> Iterator[bytes]:
        zipped = zlib.compressobj(9, zlib.DEFLATED, 31)
        yield zipped.compress(LINES)
        for number in range(1000):
            made.append(number)
            yield zipped.compress(b'{"email":"' + b" " * 1_000_000 + b'"}')

    with pytest.raises(RetryableError, match="far more than contacts"):
        deque(contacts_of(bomb()), maxlen=0)
    assert len(made) < 200


def test_a_contact_without_end_isnt_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_files, "MAX_CONTACT", 1000)
    endless: Any = cut(b'{"email": "' + b"x" * 100_000, 100)
    with pytest.raises(RetryableError, match="isn't JSON"):
        list(contacts_of(endless))


def test_what_was_fetched_has_a_hash() -> None:
    """Over the bytes as they came, whatever the pieces."""
    found = set()
    for size in (1, 10, 1000):
        fetched = Fetched()
        list(contacts_of(fetched.noted(cut(gzip.compress(LINES, mtime=0), size))))
        found.add((fetched.sha256, fetched.size))
    assert len(found) == 1

"""Read the files of an export as a stream of contacts, whatever form SendGrid gives them.

JSON, an object a line (sendgrid-csharp#1024) or a list, or CSV with a header; gzipped or plain.
Memory doesn't grow with a file. What can't be read is told, and nothing is concluded from it.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

import pyarrow as pa
import pyarrow.json as pa_json

from contact_sync.base.errors import RetryableError

Contact = dict[str, Any]
"""A contact as searches show it, as far as the export has it: `email`, `updated_at`, the reserved
fields, and `custom_fields` by name."""
MAX_RATIO = 300  # contacts in JSON compress 5 to 30 times
FREE_BYTES = 50_000_000  # so much may be unpacked at any ratio
MAX_CONTACT = 2_000_000  # characters: 500 fields of 1,000 each, with room
UNPACKED = 1 << 20
BLOCK = 4 << 20
"""Bytes of contacts that are read at once: about 10,000 contacts."""
CHUNK = 10_000
_DECODER = json.JSONDecoder()
_GZIP = b"\x1f\x8b"
_WITH_HEADER = 31
"""zlib's window bits for gzip."""


class Fetched:
    """What was downloaded so far: `sha256` over the bytes as they came, and how many they were."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.size = 0

    def noted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The pieces, counted and hashed."""
        for piece in pieces:
            self._hash.update(piece)
            self.size += len(piece)
            yield piece

    @property
    def sha256(self) -> str:
        """64 hexadecimal digits."""
        return self._hash.hexdigest()


def chunks_of(pieces: Iterable[bytes], schema: pa.Schema) -> Iterator[pa.Table | list[Contact]]:
    """The same in chunks: as a table of the columns of the `schema`, where the contacts are objects
    a line and have the schema's types, which is several times faster; else as they are.

    Raises as `contacts_of` does.
    """
    plain = _unpacked(pieces)
    head = b""
    for piece in plain:
        head += piece
        if b"\n" in head or len(head) > MAX_CONTACT:
            break
    whole = chain([head], plain)
    if _is_object(head.partition(b"\n")[0].removeprefix(codecs.BOM_UTF8)):
        for block in _line_blocks(whole):
            yield _table(block, schema)
        return
    contacts = contacts_of(whole)
    yield from iter(lambda: list(islice(contacts, CHUNK)), [])


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _line_blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines, about BLOCK bytes of them."""
    parts, size = list[bytes](), 0
    for piece in pieces:
        parts.append(piece)
        size += len(piece)
        if size < BLOCK:
            continue
        lines, end, rest = b"".join(parts).rpartition(b"\n")
        if len(rest) > MAX_CONTACT:
            raise _unreadable("a line is too long")
        if end:
            yield lines
        parts, size = [rest], len(rest)
    if last := b"".join(parts).strip():
        yield last


def _table(block: bytes, schema: pa.Schema) -> pa.Table | list[Contact]:
    try:
        str(block, "utf-8")
        return pa_json.read_json(
            pa.BufferReader(block),
            pa_json.ReadOptions(use_threads=False, block_size=len(block) + 1),
            pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
    except (UnicodeDecodeError, pa.ArrowInvalid):
        return list(contacts_of([block]))


def contacts_of(pieces: Iterable[bytes]) -> Iterator[Contact]:
    """The contacts of one file, as it comes.

    Raises RetryableError, also after some contacts, when the file is cut off, unpacks to more than
    any export does, or isn't of a known form.
    """
    texts = _decoded(_unpacked(pieces))
    head = ""
    for text in texts:
        head += text
        if head.strip():
            break
    is_json = head.lstrip()[:1] in ("{", "[")
    whole = chain([head], texts)
    if head.strip():
        yield from _json_contacts(whole) if is_json else _csv_contacts(whole)


def _unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of a gzipped file, of several joined ones, or of a plain file."""
    rest = iter(pieces)
    head = b""
    for piece in rest:
        head += piece
        if len(head) >= len(_GZIP):
            break
    whole = chain([head], rest)
    yield from _inflated(whole) if head.startswith(_GZIP) else whole


def _inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packed = unpacked = 0
    inflate, has_begun = zlib.decompressobj(_WITH_HEADER), False
    for piece in pieces:
        packed += len(piece)
        data, more = piece, False
        while data.strip(b"\0") if not has_begun else (data or more):
            has_begun = True
            try:
                found = inflate.decompress(data, UNPACKED)
            except zlib.error:
                raise _unreadable("it is no gzip") from None
            unpacked += len(found)
            if unpacked > max(FREE_BYTES, packed * MAX_RATIO):
                raise _unreadable("it unpacks to far more than contacts do")
            yield found
            data, more = inflate.unconsumed_tail, len(found) == UNPACKED
            if inflate.eof:
                data, more = inflate.unused_data, False
                inflate, has_begun = zlib.decompressobj(_WITH_HEADER), False
    if has_begun:
        raise _unreadable("it is cut off")


def _decoded(pieces: Iterable[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        for piece in pieces:
            yield decoder.decode(piece)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise _unreadable("it isn't UTF-8") from None


def _json_contacts(texts: Iterator[str]) -> Iterator[Contact]:
    """Objects one after the other: in lines, or in a list."""
    buffer = ""
    for text in texts:
        buffer += text
        at = 0
        while (found := _next_object(buffer, at)) is not None:
            contact, at = found
            if not isinstance(contact, dict):
                raise _unreadable("it holds something that is no contact")
            yield contact
        buffer = buffer[at:]
        if len(buffer) > MAX_CONTACT:
            raise _unreadable("it isn't JSON")
    if buffer.strip(" \r\n\t,[]"):
        raise _unreadable("it ends within a contact, or isn't JSON")


def _next_object(buffer: str, at: int) -> tuple[Any, int] | None:
    """The value that begins there, after what stands between contacts, and where it ends; None =
    there is none, or it isn't complete."""
    while at < len(buffer) and buffer[at] in " \r\n\t,[]":
        at += 1
    try:
        return _DECODER.raw_decode(buffer, at)
    except (ValueError, RecursionError):
        return None


def _csv_contacts(texts: Iterator[str]) -> Iterator[Contact]:
    rows = csv.reader(_lines(texts), strict=True)
    try:
        header = next(rows, [])
        lowered = [name.strip().lower() for name in header]
        if "email" not in lowered:
            raise _unreadable("it has no column EMAIL")
        for row in filter(None, rows):  # an empty line is no contact
            if len(row) != len(header):
                raise _unreadable("a row has another number of columns than its header")
            contact: Contact = {k: v for k, v in zip(lowered, row, strict=True) if v}
            contact["custom_fields"] = {k: v for k, v in zip(header, row, strict=True) if v}
            yield contact
    except csv.Error:
        raise _unreadable("it isn't CSV") from None


def _lines(texts: Iterator[str]) -> Iterator[str]:
    buffer = ""
    for text in texts:
        *whole, buffer = (buffer + text).split("\n")
        if len(buffer) > MAX_CONTACT:
            raise _unreadable("a line is too long")
        for line in whole:
            yield line + "\n"
    if buffer:
        yield buffer


def _unreadable(why: str) -> RetryableError:
    return RetryableError(f"A file of SendGrid's export can't be read: {why}. Nothing is concluded")

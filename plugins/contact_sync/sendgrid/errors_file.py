"""Read the errors file of a job, row by row: which addresses were refused, and why.

Its format is documented nowhere (Twilio's support pages only say that it holds addresses and
reasons), so the reader is tolerant: gzip or plain, UTF-8 or UTF-16, a table with any separator,
with or without a header, or JSON in any arrangement (errors_json.py). Its memory doesn't grow with
the file. What can't be read is told, and what names nobody for certain names nobody.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import os
import re
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import IO, Any

from contact_sync.base.errors import RetryableError
from contact_sync.sendgrid.errors_json import flat, json_rows
from contact_sync.sendgrid.errors_row import Columns, address_in

MAX_ERRORS_FILE_BYTES = 200_000_000  # as it comes: a million rows with all their columns
MAX_BYTES = 400_000_000  # unpacked
MAX_RATIO = 200  # rows of addresses and reasons compress 5 to 50 times
FREE_BYTES = 1_000_000  # so much may be unpacked at any ratio
MAX_ROWS = 1_000_000  # SendGrid takes no more in an import
MAX_LINES = 5_000_000  # some are empty, and a cell may have several
MAX_LINE = 1_000_000  # characters
MAX_COLUMNS = 500
SEPARATORS = ",;\t|"
_UNREADABLE = (ValueError, csv.Error, EOFError, OSError, zlib.error, RecursionError)


def read_errors(file: IO[bytes]) -> Iterator[tuple[str, str]]:
    """Address (lower case) and SendGrid's reason, for each row that names one. `file`: seekable.

    Raises RetryableError, also after some rows, when the file can't be read as any known layout,
    or is a zip bomb.
    """
    try:
        raw = _unpacked(file)
        start = raw.peek(1)[:100]
        text = io.TextIOWrapper(raw, _encoding(start), newline="")
        is_json = start.translate(None, b"\x00\xef\xbb\xbf\xff\xfe").lstrip()[:1] in (b"[", b"{")
        rows = _json_entries(text) if is_json else _table_entries(text)
        for number, entry in enumerate(rows):
            if number >= MAX_ROWS:
                raise ValueError("too many rows")
            if entry is not None:
                yield entry
    except _UNREADABLE as error:
        kind = type(error).__name__
        raise RetryableError(f"The job's errors file can't be read ({kind})") from None


class _Capped(io.RawIOBase):
    """Bytes of a file, at most so many."""

    def __init__(self, file: IO[bytes] | gzip.GzipFile, most: int) -> None:
        self._file = file
        self._left = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise ValueError("too large")
        buffer[: len(data)] = data
        return len(data)


def _unpacked(file: IO[bytes]) -> io.BufferedReader:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    is_packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    if not is_packed:
        return io.BufferedReader(_Capped(file, MAX_BYTES))
    most = min(MAX_BYTES, max(FREE_BYTES, size * MAX_RATIO))
    return io.BufferedReader(_Capped(gzip.open(file), most))


def _encoding(start: bytes) -> str:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if start[1:2] == b"\x00":
        return "utf-16-le"
    return "utf-16-be" if start[:1] == b"\x00" else "utf-8-sig"


def _json_entries(text: io.TextIOBase) -> Iterator[tuple[str, str] | None]:
    for row in json_rows(text):
        cells = flat(row)
        if len(cells) > MAX_COLUMNS:
            raise ValueError("too many columns")
        yield Columns.of(tuple(cells)).entry(list(cells.values()))


def _table_entries(text: io.TextIOBase) -> Iterator[tuple[str, str] | None]:
    lines = _lines(text)
    first = next((line for line in lines if line.strip()), "")
    told = re.fullmatch(r"sep=(.)\s*", first)  # Excel's way to name the separator
    if told:
        first = next(lines, "")
    separator = told[1] if told else max(SEPARATORS, key=lambda mark: _promise(first, mark))
    reader = csv.reader(chain([first], lines), delimiter=separator)
    header = next(reader, [])
    if len(header) > MAX_COLUMNS:
        raise ValueError("too many columns")
    has_names = not any(map(address_in, header))
    columns = Columns.of(tuple(header) if has_names else ("",) * len(header))
    for row in reader if has_names else chain([header], reader):
        if len(row) > MAX_COLUMNS + 1:
            raise ValueError("too many columns")
        if row:
            yield columns.entry(row)


def _lines(text: io.TextIOBase) -> Iterator[str]:
    for _ in range(MAX_LINES):
        line = text.readline(MAX_LINE + 1)
        if not line:
            return
        if len(line) > MAX_LINE:
            raise ValueError("a line is too long")
        yield line
    raise ValueError("too many lines")


def _promise(line: str, separator: str) -> tuple[bool, int]:
    """How well a separator fits the first line: it sets known names apart, and it is frequent."""
    cells = next(csv.reader([line], delimiter=separator), [])
    known = Columns.of(tuple(cells[:MAX_COLUMNS]))
    return known.is_known or any(map(address_in, cells)), len(cells)

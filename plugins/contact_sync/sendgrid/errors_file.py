"""Read the errors file of a job: which addresses were refused, and why. Pure.

Its format is documented nowhere (Twilio's support pages only say that it holds addresses and
reasons), so the reader is tolerant: gzip or plain, CSV or JSON, the address in any column.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from typing import Any

from contact_sync.base.errors import RetryableError

MAX_ERRORS_FILE_BYTES = 50_000_000  # as it comes
MAX_BYTES = 200_000_000
MAX_JSON_BYTES = 30_000_000  # objects take ten times their text
MAX_RATIO = 200  # rows of addresses and reasons compress 5 to 50 times
FREE_BYTES = 1_000_000  # so much may be unpacked at any ratio
MAX_ROWS = 1_000_000  # SendGrid takes no more in an import
MAX_COLUMNS = 500
_UNREADABLE = (ValueError, csv.Error, EOFError, zlib.error, gzip.BadGzipFile, RecursionError)
_REASON_NAMES = ("error", "errors", "reason", "message", "description")


def read_errors(raw: bytes) -> dict[str, str]:
    """Address (lower case) → SendGrid's reason.

    Raises RetryableError when the file can't be read as any known layout, or is a zip bomb.
    """
    try:
        text = _decompressed(raw).decode("utf-8-sig")
        rows = _json_rows(text) if text.lstrip()[:1] in ("[", "{") else _csv_rows(text)
        return dict(entry for row in _capped(rows) if (entry := _entry(row)))
    except _UNREADABLE as error:
        kind = type(error).__name__
        raise RetryableError(f"The job's errors file can't be read ({kind})") from None


def _decompressed(raw: bytes) -> bytes:
    if len(raw) > MAX_ERRORS_FILE_BYTES:
        raise ValueError("too large")
    if raw[:2] != b"\x1f\x8b":
        return raw
    most = min(MAX_BYTES, max(FREE_BYTES, len(raw) * MAX_RATIO))
    with gzip.open(io.BytesIO(raw)) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError("too large")
    return data


def _json_rows(text: str) -> Iterator[dict[str, Any]]:
    if len(text) > MAX_JSON_BYTES:
        raise ValueError("too large")
    data = json.loads(text)
    if isinstance(data, dict):
        data = next((value for value in data.values() if isinstance(value, list)), [data])
    return (row for row in data if isinstance(row, dict))


def _csv_rows(text: str) -> Iterator[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if len(reader.fieldnames or ()) > MAX_COLUMNS:
        raise ValueError("too many columns")
    return reader


def _capped(rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows):
        if number >= MAX_ROWS or len(row) > MAX_COLUMNS + 1:
            raise ValueError("too many rows or columns")
        yield row


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(filter(None, map(_text, value)))
    return value if isinstance(value, str) else ""


def _entry(row: dict[str, Any]) -> tuple[str, str] | None:
    texts = {str(k).strip().lower(): _text(v) for k, v in row.items() if k}
    values = {k: v for k, v in texts.items() if v}
    address = values.get("email") or values.get("identifier") or ""
    if "@" not in address:
        address = next((value for value in values.values() if "@" in value), "")
    if not address:
        return None
    reason = next((v for k, v in values.items() if k in _REASON_NAMES and v), "refused")
    return address.strip().lower(), reason

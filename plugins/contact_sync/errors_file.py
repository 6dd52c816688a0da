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
from typing import Any

from contact_sync.errors import RetryableError

MAX_BYTES = 200_000_000
_UNREADABLE = (ValueError, csv.Error, EOFError, zlib.error, gzip.BadGzipFile, RecursionError)
_REASON_NAMES = ("error", "errors", "reason", "message", "description")


def read_errors(raw: bytes) -> dict[str, str]:
    """Address (lower case) → SendGrid's reason.

    Raises RetryableError when the file can't be read as any known layout, or is a zip bomb.
    """
    try:
        text = _decompressed(raw).decode("utf-8-sig")
        rows = _json_rows(text) if text.lstrip()[:1] in ("[", "{") else _csv_rows(text)
        return dict(entry for row in rows if (entry := _entry(row)))
    except _UNREADABLE as error:
        kind = type(error).__name__
        raise RetryableError(f"The job's errors file can't be read ({kind})") from None


def _decompressed(raw: bytes) -> bytes:
    if raw[:2] != b"\x1f\x8b":
        return raw
    with gzip.open(io.BytesIO(raw)) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError("too large")
    return data


def _json_rows(text: str) -> list[dict[str, Any]]:
    data = json.loads(text)
    if isinstance(data, dict):
        data = next((value for value in data.values() if isinstance(value, list)), [data])
    return [row for row in data if isinstance(row, dict)]


def _csv_rows(text: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


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

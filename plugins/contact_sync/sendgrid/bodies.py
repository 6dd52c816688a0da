"""Bodies of answers, read in pieces and up to a size."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import IO

import requests

MAX_STORAGE_ERROR = 10_000  # bytes


def storage_code(answer: requests.Response) -> str:
    """The error code in S3's XML, such as EntityTooLarge; nothing else of it is read."""
    raw = read(answer, MAX_STORAGE_ERROR) or b""
    found = re.search(rb"<Code>([A-Za-z]{1,40})</Code>", raw)
    return found.group(1).decode() if found else ""


def read(answer: requests.Response, max_bytes: int) -> bytes | None:
    """The body as it came, or None if it is larger than `max_bytes`."""
    body = io.BytesIO()
    return body.getvalue() if copied(pieces_of(answer), body, max_bytes) else None


def pieces_of(answer: requests.Response) -> Iterator[bytes]:
    found: Iterator[bytes] = answer.raw.stream(1 << 16, decode_content=False)
    return found


def copied(pieces: Iterator[bytes], file: IO[bytes], max_bytes: int) -> bool:
    """Whether the body fits into `max_bytes`; then it is in `file`, as it came."""
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > max_bytes:
            return False
        file.write(piece)
    return True

"""The errors file of an import: whether there is one, and how it looks. Its text isn't kept."""

from __future__ import annotations

import codecs
import gzip
import zlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from contact_sync.base.account_question import OTHER, UNSEEN
from contact_sync.base.errors import ConfigError, RetryableError
from contact_sync.config.account_profile import Answer
from contact_sync.probe.account import Account

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
MOST_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class ErrorsFile:
    """What was found. `status`: of its download, None = there was no address of one; `text`: empty
    if it can't be read; `problem`: why nothing can be said of it."""

    status: int | None = None
    problem: str = ""
    host: str = ""
    seconds: int | None = None
    packed: bool = False
    encoding: str = ""
    text: str = field(default="", repr=False)


def read_file(account: Account, job: dict[str, Any]) -> ErrorsFile:
    """Download the errors file that a job names."""
    results = job.get("results")
    url = results.get("errors_url") if isinstance(results, dict) else None
    if not isinstance(url, str) or not url:
        return ErrorsFile()
    try:
        found = account.calls.download(url, "errors_url")
    except (ConfigError, RetryableError) as error:  # a host that isn't known, or no answer
        return ErrorsFile(problem=str(error))
    seconds = valid_seconds(url)
    host = urlsplit(url).hostname or ""
    if found.status == 429 or found.status >= 500:
        return ErrorsFile(problem=f"{host} answered {found.status}")
    if not found.ok:
        return ErrorsFile(found.status, host=host, seconds=seconds)
    packed = found.raw[:2] == b"\x1f\x8b"
    encoding, text = _decoded(unpacked(found.raw))
    return ErrorsFile(found.status, "", host, seconds, packed, encoding, text)


def valid_seconds(url: str) -> int | None:
    """How long a signed address is valid, as it says itself."""
    given = parse_qs(urlsplit(url).query).get("X-Amz-Expires", [""])[0]
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def unpacked(raw: bytes) -> bytes:
    """A file without its gzip; empty if that can't be undone, or is larger than it may be."""
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        unzip = zlib.decompressobj(wbits=31)
        data = unzip.decompress(raw, MOST_BYTES)
    except (zlib.error, gzip.BadGzipFile, EOFError):
        return b""
    return b"" if unzip.unconsumed_tail else data


def _decoded(data: bytes) -> tuple[str, str]:
    encoding = "utf-8"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif data.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    try:
        return encoding, data.decode(encoding)
    except UnicodeDecodeError:
        return "", ""


def answers_about(file: ErrorsFile, columns: int, errored: int) -> dict[str, Answer]:
    """The answers about an errors file; `columns`: how many the uploaded file had."""
    if not errored:
        nothing = Answer(UNSEEN, "no row was reported, so there is no file")
        return dict.fromkeys(_ABOUT, nothing)
    if file.problem:
        return dict.fromkeys(_ABOUT, Answer(UNSEEN, file.problem))
    if file.status is None:
        missing = dict.fromkeys(_ABOUT, Answer(UNSEEN, "there is no file"))
        said = f"{errored} rows were reported, without an address of a file"
        return missing | {"errors_file": Answer("none", said)}
    seconds = (
        Answer(UNSEEN, "its address doesn't say")
        if file.seconds is None
        else Answer(file.seconds, f"X-Amz-Expires of its address, at {file.host}")
    )
    if file.status != 200:
        gone = dict.fromkeys(_ABOUT, Answer(UNSEEN, "the file can't be fetched"))
        said = f"its address, at {file.host}, answered {file.status}"
        return gone | {"errors_file": Answer("missing", said), "errors_seconds": seconds}
    return {
        "errors_file": Answer("served", f"fetched from {file.host}"),
        "errors_seconds": seconds,
        "errors_packed": Answer("yes" if file.packed else "no", "its first two bytes"),
        "errors_encoding": Answer(file.encoding or OTHER, "its first bytes"),
        **_layout(file.text.lstrip(), columns),
    }


_ABOUT = ("errors_file", "errors_layout", "errors_separator", "errors_encoding", "errors_packed",
          "errors_seconds")  # fmt: skip


def _layout(text: str, columns: int) -> dict[str, Answer]:
    if text[:1] in ("[", "{"):
        layout = "json" if text[0] == "[" else "json_lines"
        return {
            "errors_layout": Answer(layout, f"it begins with {text[0]}"),
            "errors_separator": Answer(UNSEEN, "it is JSON"),
        }
    first = text.partition("\n")[0].strip("\r")
    mark = max(SEPARATORS, key=first.count)
    cells = first.count(mark) + 1
    layouts = {columns + 1: "uploaded", 2: "short"}
    if cells not in layouts:
        other = Answer(OTHER, f"its first line has {cells} columns")
        return {"errors_layout": other, "errors_separator": other}
    return {
        "errors_layout": Answer(layouts[cells], f"its first line has {cells} columns"),
        "errors_separator": Answer(SEPARATORS[mark], "its first line"),
    }

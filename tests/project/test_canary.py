"""The scanner of the whole session finds what is planted, so that its silence means something."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from contact_sync.base.errors import ConfigError, RequestRefused
from tests.support.canary import LOGGERS, hits, scan_files
from tests.support.world import API_KEY

CANARIES = [
    "client1@example.com", "o'brien+x@mail.example.org", "+41790000001", "Zoë 3", "Zürich", "Weg 2",
    API_KEY, "https://x.example/f?X-Amz-Signature=00ff", "/f?signature=00ff",
]  # fmt: skip


@pytest.mark.parametrize("canary", CANARIES)
def test_G10_a_planted_canary_is_found_in_a_log_line_and_a_traceback(canary: str) -> None:
    """In the text, in an argument, in an exception that is logged."""
    for name in LOGGERS:
        log = logging.getLogger(f"{name}.inner")
        level, logging.getLogger(name).level = logging.getLogger(name).level, logging.DEBUG
        log.debug("it is %s", canary)
        try:
            int(f"x {canary}")
        except ValueError:
            log.exception("something else")
        logging.getLogger(name).setLevel(level)
    found = hits.take()
    for name in LOGGERS:
        assert sum(f"log of {name}.inner" in hit for hit in found) >= 2, name


@pytest.mark.parametrize("canary", CANARIES)
def test_G10_a_planted_canary_is_found_in_an_exception(canary: str) -> None:
    """When it is made, whatever becomes of it."""
    ConfigError(f"no {canary}")
    (hit,) = hits.take()
    assert hit.startswith("text of a ConfigError: ")
    RequestRefused(f"no {canary}", status=400)
    (hit,) = hits.take()
    assert hit.startswith("text of a RequestRefused: ")


@pytest.mark.parametrize("canary", CANARIES)
def test_G10_a_planted_canary_is_found_in_a_file(canary: str, tmp_path: Path) -> None:
    """Also between bytes that are no text; once for each time that the file was written."""
    file = tmp_path / "inner" / "file.db"
    file.parent.mkdir()
    file.write_bytes(b"nothing")
    for content in (b"\xff\x00" + canary.encode() + b"\x00", f"more {canary} \n".encode()):
        scan_files(tmp_path)
        assert hits.take() == []
        with file.open("ab") as written:
            written.write(content)
        assert scan_files(tmp_path) == 1
        assert len(hits.take()) >= 1


def test_G10_what_is_no_canary_is_not_found() -> None:
    """Counts, ids, routes and times."""
    logging.getLogger("contact_sync").info(
        "PUT /v3/marketing/contacts: 41 of 790000000 at 2026-07-01 10:00:00+00, job 5f0c3e5a-0b"
    )
    assert hits.take() == []

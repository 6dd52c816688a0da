"""The file in which runs of the command line leave their mark, and marks that are none."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from contact_sync.base.marks import Mark, Phase
from contact_sync.cli.mark_file import MarkFile
from contact_sync.run.outer_mark import leave_mark, read_mark
from contact_sync.sync import Sync

MARK = Mark("life", 7, "token", Phase.BEGUN)
GOOD = json.loads(MARK.text())


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MarkFile:
    """Below a folder that isn't there yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return MarkFile("demo")


def sync_of(file: MarkFile) -> Sync:
    """As much of a sync as marks need."""
    return cast("Sync", SimpleNamespace(marks=file))


def test_a_mark_comes_back_as_it_was_left(file: MarkFile) -> None:
    """In a file that only its owner may read; nothing else is left beside it."""
    assert read_mark(sync_of(file)) is None
    for mark in (MARK, Mark("life", 8, "other", Phase.ENDED)):
        leave_mark(sync_of(file), mark)
        assert read_mark(sync_of(file)) == mark
    assert [path.name for path in file.path.parent.iterdir()] == ["mark_demo.json"]
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("home", "below"), [("", ".local/state"), ("relative/path", ".local/state"), (None, "st")]
)
def test_where_the_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str | None, below: str
) -> None:
    """As the XDG specification says; a path that isn't absolute is ignored."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / below) if home is None else home)
    assert MarkFile("demo").path == tmp_path / below / "contact_sync" / "mark_demo.json"


NEEDED = [name for name in GOOD if name != "erasures"]
"""Earlier versions counted none."""


def without(name: str) -> dict[str, Any]:
    """A mark that lacks a part."""
    return {key: value for key, value in GOOD.items() if key != name}


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", "7", *(json.dumps(without(name)) for name in NEEDED),
     json.dumps(GOOD | {"run_id": "7"}), json.dumps(GOOD | {"run_id": True}),
     json.dumps(GOOD | {"run_id": 2**63}), json.dumps(GOOD | {"run_id": 0}),
     json.dumps(GOOD | {"erasures": -1}), json.dumps(GOOD | {"phase": "paused"}),
     json.dumps(GOOD | {"token": None}),
     json.dumps(GOOD) + " " * 2000, b"\xff\xfe\x00"],
)  # fmt: skip
def test_what_is_no_mark_counts_as_none_and_is_told(
    file: MarkFile, caplog: pytest.LogCaptureFixture, text: str | bytes
) -> None:
    """Whatever the file holds; the next mark replaces it."""
    leave_mark(sync_of(file), MARK)
    file.path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert read_mark(sync_of(file)) is None
    assert "can't be read and counts as none" in caplog.text
    leave_mark(sync_of(file), MARK)
    assert read_mark(sync_of(file)) == MARK


def test_a_place_that_can_not_be_written_is_told(
    file: MarkFile, caplog: pytest.LogCaptureFixture
) -> None:
    """The run goes on without a mark; what was there stays."""
    file.path.parent.parent.write_text("a file where the folder should be")
    leave_mark(sync_of(file), MARK)
    assert "can't be written" in caplog.text
    assert read_mark(sync_of(file)) is None

"""The emulator becomes the account that a profile tells of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from local.sendgrid_emulator import process
from local.sendgrid_emulator.__main__ import arguments, start_settings
from local.sendgrid_emulator.model.profile import ProfileError, read_profile
from local.sendgrid_emulator.model.settings import Settings

PORTS = ["--port=0", "--upload-port=0"]


def profile(folder: Path, **answers: str | int) -> Path:
    """Write a profile with these answers."""
    path = folder / "account.yaml"
    version = answers.pop("version", 1)
    told = {code: {"answer": answer, "seen": "…"} for code, answer in answers.items()}
    path.write_text(yaml.safe_dump({"version": version, "answers": told}), encoding="utf-8")
    return path


def started(*options: str) -> Settings:
    """Return the settings that a command line gives."""
    return start_settings(arguments().parse_args([*PORTS, *options]))


def test_it_behaves_as_the_profile_says(tmp_path: Path) -> None:
    values: dict[str, str | int] = {"csv_empty_text": "clear", "csv_empty_date": "keep"}
    calls: dict[str, str | int] = {"json_limit": 500_000, "job_seconds": 12, "region": "eu"}
    path = profile(tmp_path, **values, **calls, retry_after="unseen", too_large="other")
    settings = started(f"--profile={path}", '--settings={"long_values": "truncate"}')
    assert (settings.empty_cell, settings.cell_of("Date")) == ("clear", "keep")
    assert (settings.max_json_bytes, settings.delay) == (500_000, 12)
    usual = Settings(empty_cell="keep")
    assert (settings.retry_after, settings.too_large) == (usual.retry_after, usual.too_large)
    assert settings.long_values == "truncate"


def test_the_command_line_goes_before_the_profile(tmp_path: Path) -> None:
    path = profile(tmp_path, csv_empty_text="clear", job_seconds=12)
    settings = started(f"--profile={path}", "--empty-cell=keep", "--delay=1")
    assert (settings.empty_cell, settings.delay) == ("keep", 1)


def test_what_one_switch_cannot_do_twice_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = profile(tmp_path, csv_empty_text="keep", json_bad_date="row", json_bad_phone="value")
    assert started(f"--profile={path}").row_error == "row"
    assert "json_bad_phone: value: row_error is row already" in caplog.text


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"version": 2}, "not an account profile of version 1"),
        ({"csv_empty_text": "sometimes"}, "there is no such question or answer"),
        ({"no_such_question": "yes"}, "there is no such question or answer"),
        ({"no_such_question": "unseen"}, "there is no such question or answer"),
        ({"json_limit": True}, "a whole number"),
        ({"search_lag": -1}, "a whole number"),
    ],
    ids=["another version", "another answer", "another question", "unseen", "no number", "less"],
)
def test_another_profile_is_refused(
    tmp_path: Path, answers: dict[str, str | int], says: str
) -> None:
    with pytest.raises(ProfileError, match=says):
        read_profile(profile(tmp_path, **answers))


def test_an_answer_that_is_no_block_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "account.yaml"
    path.write_text("version: 1\nanswers: {no_ids: accepted}\n", encoding="utf-8")
    with pytest.raises(ProfileError, match="no_ids: it has no answer"):
        read_profile(path)


def test_without_an_answer_about_empty_cells_one_has_to_choose(tmp_path: Path) -> None:
    path = profile(tmp_path, job_seconds=12)
    command = [sys.executable, "-m", "local.sendgrid_emulator", *PORTS, f"--profile={path}"]
    done = subprocess.run(command, cwd=process.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "say --empty-cell: the profile doesn't know it" in done.stderr

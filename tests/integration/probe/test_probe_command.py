"""The command `probe`: what it says, writes and leaves, and what a recording of it holds."""

from __future__ import annotations

import io
import json
import re
import stat
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import yaml

from contact_sync.base.account_questions import QUESTIONS
from contact_sync.base.errors import ConfigError
from contact_sync.cli import main as cli
from contact_sync.cli import probe as command
from contact_sync.config import account_profile
from contact_sync.config.account_profile import (
    AccountProfile,
    parsed_profile,
    profile_text,
    read_profile,
)
from contact_sync.probe import calls_part
from contact_sync.probe.account import Account
from contact_sync.probe.made import Made, load, state_path
from local.sendgrid_emulator.model.profile import read_profile as emulators_settings
from local.sendgrid_emulator.model.settings import Settings
from local.sendgrid_emulator.process import Emulator
from tests.integration.probe.conftest import Opened
from tests.integration.probe.test_cleaning import FOREIGN, contents
from tests.support import openapi
from tests.support.world import API_KEY

NAME = "sendgrid_probed"
UNDESCRIBED = {"PUT /v3/marketing/contacts request contacts/N/first_name: type"}
"""What of a probe's calls isn't as described: null, which is what it asks about."""


@pytest.fixture
def folder(
    emulated: Emulator,
    open_account: Opened,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Path:
    """Where profiles are written; the command meets the emulator, on whose clock it waits."""
    connection = {"conn_type": "sendgrid", "host": emulated.base_url, "password": API_KEY}
    monkeypatch.setenv(f"AIRFLOW_CONN_{NAME.upper()}", json.dumps(connection))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(account_profile, "FOLDER", tmp_path / "include" / "accounts")
    really = command._account

    def on_its_clock(options: object, made: object) -> Account:
        account = really(options, made)  # type: ignore[arg-type]
        account.clock = open_account(made).clock
        return account

    monkeypatch.setattr(command, "_account", on_its_clock)
    monkeypatch.setattr(calls_part, "TOP", 1_000_000)
    emulated.admin.settings(max_json_bytes=400_000, field_delay=2)
    return account_profile.FOLDER


def test_it_asks_everything_writes_a_profile_and_leaves_nothing(
    emulated: Emulator, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    emulated.admin.settings(empty_cell="clear", errors_layout="short", many_ids="accept")
    records = tmp_path / "records"
    assert cli.main(["probe", NAME, "--yes", f"--record={records}"]) == 0
    said = capsys.readouterr()
    assert "import two CSV files: SendGrid mails the account's admins" in said.err
    assert "[10/10] exports" in said.err
    assert contents(emulated) == FOREIGN
    assert not state_path(NAME).exists()
    profile = read_profile(NAME)
    assert set(profile.answers) == set(QUESTIONS)
    assert profile["csv_empty_text"] == "clear"
    assert profile["errors_layout"] == "short"
    assert profile["many_ids"] == "accepted"
    assert profile["retry_after"] is None  # the limit is too high to be used up
    assert "@" not in profile_text(profile)
    changes, in_vain = emulators_settings(folder / f"{NAME}.yaml")
    assert in_vain == []
    settings = Settings.model_validate(changes)
    assert (settings.empty_cell, settings.many_ids) == ("clear", "accept")
    assert_clean_recording(records / f"probe_{NAME}.jsonl", emulated)
    assert_described(emulated)


def assert_described(emulated: Emulator) -> None:
    """Every call that was accepted is one that Twilio's description of the API allows."""
    wrong = set()
    for call in emulated.admin.calls():
        if call["origin"] != "api" or call["status"] >= 300:
            continue
        operation = openapi.operation_of(call["method"], call["path"])
        assert operation is not None, f"{call['method']} {call['route']} is described nowhere"
        raw = emulated.admin.call_body(call["number"]) if call["request_bytes"] else b""
        names = set(parse_qs(call["query"], keep_blank_values=True))
        name = f"{call['method']} {operation.path}"
        body = json.loads(raw) if raw else None
        found = openapi.request_deviations(operation, names, body)
        wrong |= {f"{name} {what}" for what in found}
    assert wrong - set(openapi.KNOWN) == UNDESCRIBED


def assert_clean_recording(path: Path, emulated: Emulator) -> None:
    """It holds every call to the API, and neither a secret nor an address but made-up ones."""
    text = path.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    sent = [(line["method"], line["status"]) for line in lines if line["method"] != "GET"]
    calls = [call for call in emulated.admin.calls() if call["origin"] == "api"]
    assert sent == [(c["method"], c["status"]) for c in calls if c["method"] != "GET"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for secret in (API_KEY, "X-Amz-Signature", "Customers"):
        assert secret not in text, secret
    for word in text.replace("\\", '"').split('"'):
        assert "@" not in word or re.search(r"person\d+@example\.com", word), word
    assert {"at", "method", "path", "body", "status", "type", "limit", "remaining", "times",
            "answer"} == set(lines[0])  # fmt: skip


def test_without_a_yes_nothing_is_done(
    emulated: Emulator, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    assert cli.main(["probe", NAME]) == 1
    assert emulated.admin.calls() == []
    assert not folder.exists()


def test_Q03_ctrl_c_cleans_up_and_the_next_start_goes_on(
    emulated: Emulator, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(calls_part, "_bad_email", interrupted)
        assert cli.main(["probe", NAME, "--yes"]) == 130
    assert contents(emulated) == FOREIGN
    left = load(state_path(NAME))
    assert left is not None
    assert left.is_empty
    assert {"write_scopes", "field_seconds"} <= set(left.answers)


def test_what_is_kept_is_taken_away_by_clean(
    emulated: Emulator, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contact_sync.probe.run_probe.PARTS", command_parts("key", "calls"))
    assert cli.main(["probe", NAME, "--yes", "--keep"]) == 0
    assert contents(emulated) != FOREIGN
    assert cli.main(["probe", NAME, "--clean"]) == 0
    assert contents(emulated) == FOREIGN
    assert cli.main(["probe", NAME, "--clean"]) == 0


def test_Q06_a_part_that_fails_is_asked_again_by_the_next_start(
    emulated: Emulator,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("contact_sync.probe.run_probe.PARTS", command_parts("key", "calls"))

    def fail() -> None:
        emulated.admin.fault("GET", "/v3/marketing/contacts", status=500, times=9)

    fail()
    assert cli.main(["probe", NAME, "--yes"]) == 1
    assert "6 questions couldn't be asked to the end" in capsys.readouterr().out
    assert contents(emulated) == FOREIGN
    assert "SendGrid refused it 5 times" in read_profile(NAME).answers["unknown_list"].seen
    emulated.admin.clear_faults()
    assert cli.main(["probe", NAME, "--yes"]) == 0
    said = capsys.readouterr()
    assert "[1/1] how calls are answered" in said.err  # the other part isn't asked again
    assert not state_path(NAME).exists()
    assert read_profile(NAME)["unknown_list"] == "404"
    fail()
    assert cli.main(["probe", NAME, "--yes"]) == 1
    assert "The profile stays as it was" in capsys.readouterr().out
    assert read_profile(NAME)["unknown_list"] == "404"


def test_Q03_what_was_learned_is_written_before_the_cleaning_up_which_may_fail(
    emulated: Emulator, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contact_sync.probe.run_probe.PARTS", command_parts("key"))
    emulated.admin.fault("DELETE", "/v3/marketing/lists/{list_id}", status=500, times=9)
    assert cli.main(["probe", NAME, "--yes"]) == 1
    assert read_profile(NAME)["region"] == "local"
    emulated.admin.clear_faults()
    assert cli.main(["probe", NAME, "--clean"]) == 0
    assert contents(emulated) == FOREIGN


def test_Q05_notes_of_another_connection_are_not_used(
    emulated: Emulator, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state_path(NAME).parent.mkdir(parents=True)
    Made(state_path(NAME), "another", "7f3a9c", "p-{n}@example.org", "Customers", 0.0,
         has_list=True).save()  # fmt: skip
    assert cli.main(["probe", NAME, "--clean"]) == 1
    assert "connection's" in capsys.readouterr().err
    assert contents(emulated) == FOREIGN


def test_Q07_a_profile_under_another_name_is_not_relied_on(folder: Path) -> None:
    folder.mkdir(parents=True)
    text = profile_text(AccountProfile("west", yaml_day()))
    (folder / "east.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="of another account"):
        read_profile("east")


@pytest.mark.parametrize("pattern", ["a@example.com", "{n}", "a {n}@example.com", "{n}@b@c.com"])
def test_Q06_a_pattern_that_makes_no_plain_addresses_is_refused(
    pattern: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["probe", NAME, "--addresses", pattern])
    assert "write a plain address with {n} in it" in capsys.readouterr().err


def command_parts(*names: str) -> tuple[object, ...]:
    """Some of a probe's parts."""
    from contact_sync.probe.run_probe import PARTS

    return tuple(part for part in PARTS if part.name in names)


def test_Q06_a_key_that_may_not_write_is_told(
    emulated: Emulator, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    emulated.admin.add_key(API_KEY, "read")
    assert cli.main(["probe", NAME, "--yes"]) == 1
    assert "the key needs Marketing: Full Access" in capsys.readouterr().err
    emulated.admin.add_key(API_KEY, "full")
    assert contents(emulated) == FOREIGN


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version: 2\n", "reads version 1"),
        ("version: 1\nanswers: {}\n", "seen_on must be a day"),
        ("version: 1\nseen_on: 2026-01-01\nanswers: {nothing: {answer: x}}", "no such question"),
        ("version: 1\nseen_on: 2026-01-01\nanswers: {json_limit: {answer: x}}", "number of bytes"),
        ("version: 1\nseen_on: 2026-01-01\nanswers: {no_ids: {answer: 1}}", "accepted, refused"),
        ("version: 1\nsecret: x\n", "unknown key"),
    ],
)
def test_Q07_a_wrong_profile_is_refused_in_words(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parsed_profile(text, "account.yaml")


def test_Q07_a_profile_that_is_missing_is_told() -> None:
    with pytest.raises(ConfigError, match="make it by `python -m contact_sync probe nobody`"):
        read_profile("nobody")


def test_Q07_an_empty_profile_knows_nothing() -> None:
    profile = parsed_profile(profile_text(AccountProfile("x", yaml_day())), "x.yaml")
    assert {profile[code] for code in QUESTIONS} == {None}
    with pytest.raises(KeyError):
        _ = profile["no_such_question"]


def yaml_day() -> date:
    """A day as YAML reads it."""
    return date.fromisoformat(str(yaml.safe_load("2026-11-28")))

"""What a probe records is in the form that is replayed, and the emulator answers it alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from contact_sync.probe.cleaning import clean
from contact_sync.probe.recording import Recording
from contact_sync.probe.run_probe import ask, begin
from local.sendgrid_emulator.process import Emulator
from tests.integration.probe.conftest import Opened
from tests.support.api_caller import SendGrid
from tests.support.recordings import Replay

SOME = {"unknown_list", "bad_email_field", "segment_ids", "json_empty_text", "json_bad_date",
        "no_ids", "reset_form"}  # fmt: skip
"""Without those that look again and again until something shows: how often is chance."""
KNOWN = {
    "GET /v3/marketing/contacts/imports/{id} body/results/errors_url: another text":
        "a signed address isn't recorded",
}  # fmt: skip


@pytest.fixture
def recorded(emulated: Emulator, open_account: Opened, tmp_path: Path) -> Path:
    """A recording of some questions, asked of an empty account, which is empty again."""
    emulated.admin.reset()
    emulated.admin.settings(field_delay=0)
    account = open_account()
    recording = Recording(tmp_path / "records", account.made, account.clock.now)
    account.calls.listener = recording.keep
    begin(account)
    ask(account, SOME)
    clean(account)
    emulated.admin.reset()
    emulated.admin.settings(field_delay=0)
    return next((tmp_path / "records").iterdir())


def differences(emulated: Emulator, recorded: Path) -> set[str]:
    """Where the emulator's answers differ, save how many calls a minute has left: some of the
    recorded looks are left out."""
    found = Replay(SendGrid(emulated)).differences(recorded)
    return {what for what in found if " remaining: " not in what}


def test_the_emulator_answers_a_probes_recording_alike(emulated: Emulator, recorded: Path) -> None:
    assert differences(emulated, recorded) == set(KNOWN)


def test_another_behaviour_than_the_recorded_one_is_noticed(
    emulated: Emulator, recorded: Path
) -> None:
    emulated.admin.settings(unknown_list_status=400, empty_strings="keep")
    found = differences(emulated, recorded)
    assert "PUT /v3/marketing/contacts status: 400, not 404" in found
    assert any(what.endswith("/contact/first_name: another text") for what in found)

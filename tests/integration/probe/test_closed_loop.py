"""The probe and the emulator know the same behaviours: whatever the one is switched to, the other
says."""

from __future__ import annotations

import pytest

from contact_sync.base.account_questions import QUESTIONS
from contact_sync.probe import calls_part
from contact_sync.probe.run_probe import PARTS, ask
from local.sendgrid_emulator.model.profile import ANSWERS, NO_SETTING, NUMBERS, settings_of
from local.sendgrid_emulator.model.settings import Settings
from local.sendgrid_emulator.process import Emulator
from tests.integration.probe.conftest import Opened
from tests.support.behaviours import Account, behaviours, covering, expected, questions_of

SWITCHED = [part.name for part in PARTS if questions_of(part.name)]
NOT_ASKED = {
    **dict.fromkeys(
        ("refused_calls", "refused_calls_as", "refused_calls_say", "refused_contacts",
         "refused_values", "refused_values_by", "refused_values_say", "refused_emails",
         "poison_emails"),
        "refusals of chosen addresses and values, which no probe could guess",
    ),
    **dict.fromkeys(
        ("errors_left_out", "errors_upper", "export_file", "export_megabyte", "export_pace"),
        "faults of single files, or of much larger ones",
    ),
    **dict.fromkeys(
        ("max_json_contacts", "max_import_contacts", "max_upload_bytes", "too_large_upload",
         "contact_limit", "reported_errors"),
        "to see it takes more contacts than a probe may make, or a larger upload",
    ),
    **dict.fromkeys(
        ("second_upload", "upload_lifetime"),
        "an upload is never repeated; its address is used at once",
    ),
    "erase_suppressions": "a probe erases and suppresses nobody",
    "store_only": "for benchmarks",
    "rate_limit": "of all routes alike; one route's is asked",
    "extra_scopes": "what a key has besides its own; its scopes are counted",
    "csv_numbers": "csv_negatives and csv_decimals are its two halves",
}  # fmt: skip
"""Switches that no question is about, and why it can't be seen from outside."""


WITH: dict[str, Account] = {"retry_after": {"rate_limit": 40}}
"""What has to be so for a question to be answered: a limit that can be used up."""


def test_every_switch_is_an_answer_and_every_answer_a_switch() -> None:
    numbers = {code for code, question in QUESTIONS.items() if not question.answers}
    assert numbers == set(NUMBERS)
    assert set(QUESTIONS) - numbers == set(ANSWERS) | set(NO_SETTING)
    for code, changes in ANSWERS.items():
        assert set(changes) == set(QUESTIONS[code].answers), code
    switched = {name for changes in ANSWERS.values() for one in changes.values() for name in one}
    switched |= {*NUMBERS.values(), "finish_delay"}
    assert switched.isdisjoint(NOT_ASKED)
    assert set(Settings.model_fields) == switched | set(NOT_ASKED)


def switch(emulated: Emulator, account: Account) -> None:
    """Have the emulator behave in these ways."""
    changes, in_vain = settings_of(account)
    assert in_vain == []
    emulated.admin.settings(**changes)


@pytest.mark.slow
def test_Q09_whole_probes_tell_every_behaviour_beside_those_of_all_other_parts(
    emulated: Emulator, open_account: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls_part, "TOP", 1_000_000)
    accounts = covering([code for code in QUESTIONS if behaviours(code)], 1)
    assert len(accounts) < 20
    for account in accounts:
        emulated.admin.reset()
        assert_told(emulated, open_account, account)


def assert_told(emulated: Emulator, open_account: Opened, account: Account) -> None:
    """The part's questions are answered as the account behaves."""
    switch(emulated, account)
    probed = open_account()
    ask(probed, set(account))
    told = {code: found[0] for code, found in probed.made.answers.items()}
    assert set(told) == set(account)
    wrong = {code: told[code] for code, may in expected(account).items() if not may(told[code])}
    assert wrong == {}, probed.made.answers


@pytest.mark.parametrize("part", SWITCHED)
def test_a_part_tells_every_behaviour(
    emulated: Emulator, open_account: Opened, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each behaviour of each question, with some of the others'."""
    monkeypatch.setattr(calls_part, "TOP", 1_000_000)  # six times as many bytes show no more
    for account in covering(questions_of(part), 1):
        emulated.admin.reset()
        assert_told(emulated, open_account, account)


@pytest.mark.slow
@pytest.mark.parametrize("code", [code for code in QUESTIONS if behaviours(code)])
def test_a_question_alone_tells_every_behaviour(
    emulated: Emulator, open_account: Opened, code: str
) -> None:
    for answer in behaviours(code):
        emulated.admin.reset()
        assert_told(emulated, open_account, {code: answer} | WITH.get(code, {}))


@pytest.mark.slow
@pytest.mark.parametrize("part", SWITCHED)
def test_Q09_a_part_tells_every_two_behaviours_together(
    emulated: Emulator, open_account: Opened, part: str
) -> None:
    for account in covering(questions_of(part), 2):
        emulated.admin.reset()
        assert_told(emulated, open_account, account)

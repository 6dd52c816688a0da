"""Account profiles: what a probe has learned of one SendGrid account, `include/accounts/*.yaml`.

They hold no personal data: answers are codes or whole numbers, and what was seen is told in the
probe's own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

import yaml

from contact_sync.base.account_question import GENERAL, UNSEEN
from contact_sync.base.account_questions import QUESTIONS
from contact_sync.base.errors import ConfigError
from contact_sync.base.paths import INCLUDE
from contact_sync.config.parse import read_yaml

VERSION = 1
FOLDER = INCLUDE / "accounts"
MOST_BYTES = 100_000
_HEAD = """\
# What `python -m contact_sync probe` has seen of the SendGrid account of this connection.
# docs/sendgrid-behaviour.md has the questions. A definition relies on it by `account: {name}`.
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, a code or a whole number, with the observation that it rests on."""

    answer: str | int
    seen: str

    @property
    def is_known(self) -> bool:
        """Whether something may be concluded from it."""
        return self.answer not in GENERAL


@dataclass(frozen=True, slots=True)
class AccountProfile:
    """What is known of an account, by the question's code, as of a day."""

    connection: str
    seen_on: date
    answers: Mapping[str, Answer] = field(default_factory=dict)

    def __getitem__(self, code: str) -> str | int | None:
        """The answer to a question; None = not known, so the safe choice applies.

        Raises KeyError for a question that there isn't.
        """
        _ = QUESTIONS[code]
        found = self.answers.get(code)
        return found.answer if found is not None and found.is_known else None

    def number(self, code: str) -> int | None:
        """The same of a question whose answer is a number."""
        found = self[code]
        return found if isinstance(found, int) else None


NOTHING_KNOWN = AccountProfile("", date.min)
"""Of an account that nobody has asked: all choices are safe ones."""


def read_profile(name: str) -> AccountProfile:
    """The profile `NAME.yaml`. Raises ConfigError for a missing or wrong one."""
    path = FOLDER / f"{name}.yaml"
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(
            f"There is no account profile include/accounts/{name}.yaml: make it by `python -m "
            f"contact_sync probe {name}`, or delete `account` from the definition"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        kind = type(error).__name__
        raise ConfigError(f"{path.name}: the account profile can't be read ({kind})") from None
    if len(text) > MOST_BYTES:
        raise ConfigError(f"{path.name}: an account profile has at most {MOST_BYTES:,} characters")
    found = parsed_profile(text, path.name)
    if found.connection != name:
        raise ConfigError(
            f"{path.name}: connection: it isn't {name!r}, so this profile is of another account: "
            f"make it by `python -m contact_sync probe {name}`"
        )
    return found


@lru_cache(maxsize=16)  # each page reads all definitions, and with them their profiles
def parsed_profile(text: str, file: str) -> AccountProfile:
    """The profile in a text; `file` names it in errors. Raises ConfigError."""
    data = read_yaml(text, file)
    if unknown := sorted(set(data) - {"version", "connection", "seen_on", "answers"}):
        raise ConfigError(f"{file}: {unknown[0]}: unknown key; make the profile again by `probe`")
    if data.get("version") != VERSION:
        raise ConfigError(
            f"{file}: version: this product reads version {VERSION} of account profiles; make it "
            f"again by `probe`"
        )
    seen_on, given = data.get("seen_on"), data.get("answers")
    if not isinstance(seen_on, date) or not isinstance(given, dict):
        raise ConfigError(
            f"{file}: seen_on must be a day, answers a block; make it again by `probe`"
        )
    answers = {code: _answer(code, value, file) for code, value in given.items()}
    return AccountProfile(str(data.get("connection", "")), seen_on, answers)


def _answer(code: object, value: Any, file: str) -> Answer:
    """One answer; a question of another version is an error, or it would be taken as unknown."""
    question = QUESTIONS.get(str(code))
    if question is None:
        raise ConfigError(f"{file}: answers.{code}: there is no such question; make it again")
    answer = value.get("answer") if isinstance(value, dict) else None
    if not isinstance(answer, str | int) or not question.allows(answer):
        own = [*question.answers] or [f"a number of {question.unit}"]
        possible = ", ".join([*own, *GENERAL])
        raise ConfigError(f"{file}: answers.{code}.answer: must be one of {possible}")
    return Answer(answer, str(value.get("seen", "")))


def profile_text(profile: AccountProfile) -> str:
    """A profile as a file's text; questions without an answer are in it as unseen."""
    nothing = Answer(UNSEEN, "it wasn't asked")
    answers = {
        code: {"answer": found.answer, "seen": found.seen}
        for code in QUESTIONS
        for found in [profile.answers.get(code, nothing)]
    }
    data = {
        "version": VERSION,
        "connection": profile.connection,
        "seen_on": profile.seen_on,
        "answers": answers,
    }
    body = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
    return _HEAD.format(name=profile.connection) + body

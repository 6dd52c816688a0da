"""What a check of a set-up found: one line of the table that `validate --connect` prints."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Judgement(StrEnum):
    """What a person has to do about it."""

    OK = "ok"
    WARNING = "warning"  # works, but costs something or was hardly meant
    WRONG = "wrong"  # no run can work, or one would send what is wrong
    SKIPPED = "skipped"  # something else has to be right first


class Area(StrEnum):
    """Where it was looked."""

    DEFINITION = "definition"
    STATE = "state database"
    B2CORE = "B2CORE"
    SENDGRID = "SendGrid"
    AIRFLOW = "Airflow"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    `subject` names it ("clients.sql", "list"), `text` says what is so, without values of rows, and
    `fix` how to change that; both are empty where all is right and nothing is to be said.
    """

    area: Area
    subject: str
    judgement: Judgement
    text: str = ""
    fix: str = ""

"""A question about an account of SendGrid's that no document answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

UNSEEN = "unseen"
"""The probe couldn't see it; `seen` says why."""
OTHER = "other"
"""None of the answers that were thought of; `seen` says what it was instead."""
GENERAL = {UNSEEN: "it couldn't be seen", OTHER: "none of these"}
"""Answers that every question may get."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    `part`: the part of a probe that answers it. `answers`: code → words; none = the answer is a
    whole number of `unit`. `documented`: what documents and recordings say. `assumed`: what the
    product does as long as nobody knows. `observed`: how the probe sees it.
    """

    code: str
    asks: str
    part: str
    answers: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    documented: str = "nothing"
    assumed: str = ""
    observed: str = ""

    def allows(self, answer: str | int) -> bool:
        """Whether this can be its answer."""
        if isinstance(answer, int):
            return not self.answers and not isinstance(answer, bool) and answer >= 0
        return answer in self.answers or answer in GENERAL


STORED = {"stored": "stored as it was sent"}
CLEAR = {"clear": "the field is emptied"}
KEEP = {"keep": "the field keeps its value, and nothing is reported"}
ROW = {
    "row": "the row is lost with all of its values",
    "value": "only this value is left out, and the row is reported",
}
CALL = {"call": "the call is refused with 400"}

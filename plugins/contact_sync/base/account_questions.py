"""All questions that a probe asks an account, in the order of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from contact_sync.base.account_question import Question
from contact_sync.base.questions_of_calls import CALLS, FILES, JOBS
from contact_sync.base.questions_of_values import CSV_VALUES, JSON_VALUES

QUESTIONS: Mapping[str, Question] = MappingProxyType(
    {question.code: question for question in (*CALLS, *JOBS, *JSON_VALUES, *CSV_VALUES, *FILES)}
)
"""By code."""


def of_part(part: str) -> list[Question]:
    """The questions that a part of a probe answers."""
    return [question for question in QUESTIONS.values() if question.part == part]

"""What nobody should have to read on a page or a command line: codes, lists of Python's, numbers
without separators.
"""

from __future__ import annotations

import re
from enum import StrEnum

from contact_sync.base.degraded import Degraded
from contact_sync.base.vocabulary import (
    ExclusionReason,
    Outcome,
    PendingReason,
    Refusal,
    RefusalSum,
    SuppressionKind,
    ValueProblem,
)

N = 1_234_567
TO_COPY = f"approve removals = {N}"
"""What goes into a form is written as the form takes it."""
CODES: list[StrEnum] = [*PendingReason, *ExclusionReason, *ValueProblem, *Refusal, *RefusalSum,
                        *Outcome, *Degraded, *SuppressionKind]  # fmt: skip


def raw(said: str) -> list[str]:
    """What nobody should have to read."""
    codes = [code for code in CODES if "_" in code and re.search(rf"\b{code}\b", said)]
    jargon = re.findall(r"\bvoid\b|\['|'\]|\[\d|\*\*|\w\*|\bNone\b|\bTrue\b", said)
    numbers = re.findall(r"(?<![-\w:])\d{4,}(?![-\w])", said.replace(TO_COPY, ""))
    return [*codes, *jargon, *(number for number in numbers if not number.startswith("20"))]

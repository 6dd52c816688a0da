"""Clients with whom something has to be done: what it is, and what helps."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from contact_sync.base.vocabulary import ExclusionReason, Refusal, ValueProblem


class ToDo(StrEnum):
    """Why a client isn't at SendGrid as it is in B2CORE."""

    REJECTED = "rejected"
    DROPPED = "dropped"
    EXCLUDED = "excluded"
    STALE = "stale"
    HELD = "held"  # gone from B2CORE, in a number that isn't believed


TITLES: Mapping[str, str] = {
    ToDo.REJECTED: "rejected",
    ToDo.DROPPED: "value dropped or cut",
    ToDo.EXCLUDED: "excluded",
    ToDo.STALE: "old value stays at SendGrid",
    ToDo.HELD: "removal held",
}
_CORRECT = "Correct the value in B2CORE: the next run sends it by itself."
_BY_ITSELF = (
    "SendGrid is asked again by itself, ever more rarely. If nothing changes, compare the client's "
    "values with what SendGrid says, or retry."
)
FIXES: Mapping[str, str] = {
    **dict.fromkeys(ValueProblem, _CORRECT),
    ValueProblem.TOO_LONG: "Shorten the value in B2CORE, or map it to a field that takes more.",
    ValueProblem.ROUNDED: "Nothing, if two decimals are enough; else map it to a Text field.",
    ValueProblem.NO_COUNTRY:
        "Give the client a country in B2CORE, or the definition a `default_country`.",
    ValueProblem.NOT_A_NUMBER: "Correct the value in B2CORE, or map it to a Text field.",
    ValueProblem.NOT_A_DATE: "Correct the value in B2CORE, or map it to a Text field.",
    **dict.fromkeys(Refusal, _BY_ITSELF),
    ExclusionReason.EXCLUDED_BY_B2CORE:
        "Nothing, if B2CORE is right; else change what clients.sql excludes by.",
    ExclusionReason.EXCLUDED_ADDRESS:
        "Nothing, if the other client of the address is rightly excluded.",
    ExclusionReason.SUPPRESSED_AT_SENDGRID:
        "Nothing, if the person said no; lift a bounce at SendGrid once its cause is gone.",
    ExclusionReason.REMOVED_BY_HAND:
        "Nothing, if that was meant; send again brings the contact back.",
}  # fmt: skip
"""What helps against a reason."""
OTHER_FIXES: Mapping[str, str] = {
    ToDo.STALE: "Empty the field by hand in SendGrid's UI, or map the column to a Text field, which"
    " can be emptied.",
    ToDo.HELD: "If they are really gone, start the run that removes exactly so many, from the page "
    "of the plan. If not, look at the tables and statements of B2CORE.",
}
"""What helps where there is no reason."""


def fix(what: str, reason: str | None) -> str:
    """What a person can do."""
    return OTHER_FIXES[what] if reason is None else FIXES.get(reason, _CORRECT)

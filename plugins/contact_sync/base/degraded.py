"""What isn't as it should be after a run that came to its end, as codes; words.py has the words."""

from __future__ import annotations

from enum import StrEnum


class Degraded(StrEnum):
    """What isn't as it should be after a run that came to its end."""

    REJECTED = "rejected"
    PENDING = "pending"
    STALE = "stale"
    FIELDS_REFUSED = "fields_refused"
    ABSENCES_HELD = "absences_held"
    UNMOVED = "unmoved"
    UNMOVABLE = "unmovable"
    REMOVALS_OPEN = "removals_open"
    REMOVALS_IMPOSSIBLE = "removals_impossible"
    REMOVALS_IN_VAIN = "removals_in_vain"
    EXCLUSIONS_OPEN = "exclusions_open"
    OPT_OUTS_OPEN = "opt_outs_open"
    RETURNS_UNSEEN = "returns_unseen"
    RESTRAINED = "restrained"
    ERASURES_OPEN = "erasures_open"
    ERASURES_LATE = "erasures_late"
    PROFILE_CONTRADICTED = "profile_contradicted"


CONTRADICTED = (
    "answer of the account profile isn't what SendGrid did: run `probe` again",
    "answers of the account profile aren't what SendGrid did: run `probe` again",
)
"""The words for the last one, as words.py has them for the others."""

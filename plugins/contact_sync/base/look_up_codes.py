"""What the next run would do with a client, as a look-up says: codes that aren't stored anywhere.

Their words are in words.py.
"""

from __future__ import annotations

from enum import StrEnum


class NextDecision(StrEnum):
    """The decisions of contacts/decision.py as they show in one client, and where none is made."""

    SEND = "send"
    UNCHANGED = "unchanged"  # SendGrid has confirmed exactly this content
    REFUSED = "refused"  # SendGrid refused exactly this content
    REJECTED = "rejected"  # one of its values can't be sent
    REMOVED = "removed"  # a person removed its contact at SendGrid
    EXCLUDED = "excluded"  # by B2CORE
    BARRED = "barred"  # another client of its address is excluded
    SHARED = "shared"  # a newer client has its address and represents it
    GONE = "gone"  # not in B2CORE
    UNKNOWN = "unknown"  # no run has resolved the mapping yet

"""What the next run would do with a client, as a look-up says: codes, stored nowhere, and words."""

from __future__ import annotations

from collections.abc import Mapping
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
    SUPPRESSED = "suppressed"  # SendGrid suppresses its address, and the definition excludes it
    SHARED = "shared"  # a newer client has its address and represents it
    ERASED = "erased"  # on request, it or somebody with its address
    GONE = "gone"  # not in B2CORE
    UNKNOWN = "unknown"  # no run has resolved the mapping yet


DECISIONS: Mapping[str, str] = {
    NextDecision.SEND: "The next run sends it",
    NextDecision.UNCHANGED: "SendGrid has confirmed exactly this content",
    NextDecision.REFUSED:
        "It isn't sent, because {why}. It hasn't changed since: change it in B2CORE, or start a "
        "run that retries rejected clients.",
    NextDecision.REJECTED: "It isn't sent, because its {field} is {why}. Correct it in B2CORE.",
    NextDecision.REMOVED: "It isn't sent, because {why}. A run with mode resend sends it again.",
    NextDecision.EXCLUDED: "It isn't sent, because {why}.",
    NextDecision.BARRED: "It isn't sent, because client {by} has the same address and is excluded.",
    NextDecision.SUPPRESSED:
        "It isn't sent, because SendGrid suppresses its address: {why}. It is sent again once that "
        "is lifted at SendGrid, or the definition's `suppressions` says so.",
    NextDecision.SHARED:
        "It isn't sent, because client {by}, which is newer, has the same address and represents "
        "it.",
    NextDecision.ERASED:
        "It isn't sent, because it, or somebody with its address, was erased on request. Only a "
        "person's word lifts that: see the command `erasures`.",
    NextDecision.GONE: "Client {client} is gone from B2CORE",
    NextDecision.UNKNOWN:
        "No run of this sync has looked at its clients yet: the first one loads everyone.",
}  # fmt: skip
"""How the look-up's conclusion about a client begins."""

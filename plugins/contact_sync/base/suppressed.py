"""What SendGrid says of an address that gets no mail, and what a run learnt of such addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from contact_sync.base.vocabulary import SuppressionKind

KINDS: Mapping[str, str] = {
    SuppressionKind.UNSUBSCRIBE: "unsubscribed from everything",
    SuppressionKind.GROUP_UNSUBSCRIBE: "unsubscribed from a group",
    SuppressionKind.SPAM_REPORT: "reported a mail as spam",
    SuppressionKind.INVALID: "invalid address",
    SuppressionKind.BOUNCE: "bounced",
    SuppressionKind.BLOCK: "blocked",
}
"""Why SendGrid sends no mail to an address."""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """An address, lower case, that gets no mail: from which group (0 = of no group), and since when
    (epoch seconds; None = SendGrid doesn't say)."""

    email: str
    group: int
    since: int | None


@dataclass(frozen=True, slots=True)
class SuppressionNews:
    """How many suppressions a run found that are new, or were lifted at SendGrid, by kind."""

    come: dict[str, int] = field(default_factory=dict)
    lifted: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.come or self.lifted)

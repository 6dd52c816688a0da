"""What a sync reads of SendGrid's suppressions: who gets no mail there, and why."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from contact_sync.base.vocabulary import SuppressionKind
from contact_sync.config.strict import Strict

Policy = Literal["nothing", "warn", "exclude"]


class Suppressions(Strict):
    """What a suppression at SendGrid does to a client: nothing; warn, it is sent and counted in the
    report; exclude, as an exclusion of B2CORE, until SendGrid lifts it. And how each run reads
    them, which changes nothing at SendGrid."""

    unsubscribe: Policy = Field(
        "nothing", description="Unsubscribed from everything; SendGrid mails none of them anyway."
    )
    group_unsubscribe: Policy = Field(
        "nothing", description="Unsubscribed from a group, whichever it is."
    )
    spam_report: Policy = Field("exclude", description="A mail was called spam.")
    invalid: Policy = Field("exclude", description="SendGrid found the address to be none.")
    bounce: Policy = Field("warn", description="The address's server refused a mail for good.")
    block: Policy = Field("nothing", description="The address's server refused a mail for now.")
    overlap_minutes: int = Field(
        60,
        ge=1,
        le=10_080,
        description="Each reading begins so much before the end of the one before: what SendGrid "
        "shows late, and clocks that differ.",
    )
    whole_every_hours: int = Field(
        24,
        ge=1,
        le=720,
        description="How often everything is read instead of what is new, which finds what was "
        "lifted at SendGrid.",
    )

    def with_policy(self, policy: Policy) -> tuple[SuppressionKind, ...]:
        """The kinds that this happens to."""
        return tuple(kind for kind in SuppressionKind if getattr(self, kind) == policy)

"""What a sync reads of SendGrid's suppressions: who gets no mail there, and why."""

from __future__ import annotations

from pydantic import Field

from contact_sync.config.strict import Strict


class Suppressions(Strict):
    """How each run reads unsubscribes (from all and from groups), spam reports, invalid addresses,
    bounces and blocks. Reading changes nothing at SendGrid."""

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

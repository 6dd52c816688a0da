"""How long a sync waits for SendGrid."""

from __future__ import annotations

from pydantic import Field

from contact_sync.config.strict import Strict


class Deadlines(Strict):
    """How long the sync waits for what it can't control."""

    job_hours: float = Field(
        2,
        gt=0,
        le=48,
        description="An import job that isn't over by then counts as unknown: its clients are sent "
        "again. So does an upload whose answer was lost; nothing newer is sent until then.",
    )
    quarantine_minutes: float = Field(
        30,
        ge=0,
        le=1_440,
        description="How long a request without an answer, other than an upload, may still take "
        "effect at SendGrid; nothing newer is sent meanwhile.",
    )
    run_hours: float = Field(
        24,
        gt=0,
        le=720,
        description="A run that takes longer, the time for an approval not counted, ends red and "
        "frees its lease; the next run continues from the same state.",
    )
    erasure_hours: float = Field(
        72,
        gt=0,
        le=720,
        description="An erasure that isn't finished by then is late: each run says so, and an "
        "alert is sent.",
    )

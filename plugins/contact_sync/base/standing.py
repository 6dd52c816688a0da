"""How a sync stands, by what a person has to do about it: the order of the page of all syncs."""

from __future__ import annotations

from enum import StrEnum


class Standing(StrEnum):
    """What needs a person, most urgent first; the values are what people read."""

    UNREADABLE = "can't be read"
    FAILED = "failed"
    WAITING = "waits for approval"
    LATE = "late"
    DEGRADED = "degraded"
    PAUSED = "paused"
    DISABLED = "disabled"
    NEVER_RUN = "never run"
    HEALTHY = "healthy"

    @property
    def urgency(self) -> int:
        """Its place in the order, from 0."""
        return list(Standing).index(self)

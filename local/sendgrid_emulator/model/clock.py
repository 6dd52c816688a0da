"""The emulator's clock: the machine's, shifted forward on demand.

Tests advance it instead of waiting for a delay, an expiry or the next minute.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache


class Clock:
    """Seconds since the epoch, plus what an administrator added."""

    def __init__(self) -> None:
        """Start without a shift."""
        self.shift = 0.0

    def now(self) -> float:
        """Return the current time of the account, in seconds since the epoch."""
        return time.time() + self.shift

    def advance(self, seconds: float) -> float:
        """Move the clock forward and return the new time."""
        self.shift += seconds
        return self.now()


@lru_cache(maxsize=4096)
def iso_second(seconds: int) -> str:
    """Return whole seconds as SendGrid writes times: `2026-07-15T16:19:27Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso(seconds: float) -> str:
    """Return a time without its fraction, as jobs and searches show it [K recording 2026]."""
    return iso_second(int(seconds))


def iso_nanoseconds(seconds: float) -> str:
    """Return a time with nanoseconds, as GET contacts shows `updated_at` [K recording 2026]."""
    return f"{iso_second(int(seconds))[:-1]}.{int(seconds % 1 * 1e9):09d}Z"

"""Rate limits: one bucket per method and path template, or path, in minutes of the clock.

[K recording 2021]: every answer carries the three headers, and `x-ratelimit-reset` is the number
of seconds left in the minute. The page "Rate limits" speaks of epoch seconds: a setting.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

from local.sendgrid_emulator.model.settings import Settings

MINUTE = 60
KNOWN_LIMITS = {"POST /v3/recipients/erasejob": 100}  # API description
TOO_MANY = "too many requests"  # Rate limits


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call passes, and the headers of its answer."""

    passes: bool
    headers: dict[str, str]


@dataclass(slots=True)
class RateLimiter:
    """Counts the calls of the current minute; the limit is per account [I]."""

    minute: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, route: str, of: str, now: float, settings: Settings) -> Verdict:
        """Count one call of a `METHOD /template` and say whether it passes; `of`: what has a bucket
        of its own there."""
        if int(now // MINUTE) != self.minute:
            self.minute = int(now // MINUTE)
            self.counts.clear()
        bucket = f"{route} {of}"
        usual = min(settings.rate_limit, KNOWN_LIMITS.get(route, settings.rate_limit))
        limit = settings.rate_limits.get(route, usual)
        used = self.counts.get(bucket, 0) + 1
        self.counts[bucket] = used
        end = (self.minute + 1) * MINUTE
        left = ceil(end - now)
        headers = {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(max(0, limit - used)),
            "x-ratelimit-reset": str(left if settings.rate_limit_reset == "delta" else end),
        }
        if used > limit and route in KNOWN_LIMITS:
            headers["x-envoy-ratelimited"] = "true"  # API description names it, not its value
        if used > limit and settings.retry_after:
            headers["retry-after"] = str(left)
        return Verdict(used <= limit, headers)

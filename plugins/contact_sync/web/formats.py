"""Numbers, moments and durations as people read them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from contact_sync.base.moments import NO_MOMENT, moment
from contact_sync.base.numbers import count

__all__ = ["count", "duration", "iso", "moment", "number", "rate"]

NOTHING = NO_MOMENT


def number(value: float | None) -> str:
    """1234567 as "1,234,567"; None as a dash."""
    return NOTHING if value is None else f"{value:,}"


def iso(value: datetime | None) -> str:
    """For the `datetime` attribute of HTML's <time>."""
    return "" if value is None else value.astimezone(UTC).isoformat()


def duration(seconds: float | None) -> str:
    """ "0.4 s", "2 min 5 s", "3 h 20 min", "2 days 4 h"; None as a dash."""
    if seconds is None:
        return NOTHING
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} days {hours % 24} h" if hours % 24 else f"{hours // 24} days"


def rate(per_second: float) -> str:
    """ "1,200 a second", "4.2 a second", "40 a minute"."""
    if per_second >= 10:
        return f"{per_second:,.0f} a second"
    return f"{per_second:.1f} a second" if per_second >= 1 else f"{60 * per_second:.0f} a minute"

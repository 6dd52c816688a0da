"""A time as people read it: one form, in UTC, wherever it is shown."""

from __future__ import annotations

from datetime import UTC, datetime

NO_MOMENT = "\N{EN DASH}"


def moment(at: datetime | None) -> str:
    """Such as "26 Nov 2026, 05:19:11 UTC"; None as a dash."""
    return f"{at.astimezone(UTC):%-d %b %Y, %H:%M:%S} UTC" if at else NO_MOMENT


def parsed(text: str | None) -> datetime | None:
    """A time that was written in ISO 8601, UTC where it has no zone; None for what is none."""
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found

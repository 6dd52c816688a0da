"""Numbers of things as people read them. Pure."""

from __future__ import annotations


def count(value: int, one: str, many: str | None = None) -> str:
    """ "1 client", "1,234 clients"; `many` where an "s" at the end isn't enough."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"

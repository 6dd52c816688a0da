"""Numbers of things as people read them. Pure."""

from __future__ import annotations

import re


def count(value: float, one: str, many: str | None = None) -> str:
    """ "1 client", "1,234 clients", "0.5 hours"; `many` where an "s" at the end isn't enough."""
    number = f"{value:,}" if isinstance(value, int) else f"{value:g}"
    return f"{number} {one if value == 1 else many or one + 's'}"


def count_of(value: int, things: str) -> str:
    """The same of a code that is a plural, as in JSON: "1 dropped value" of `dropped_values`."""
    many = things.replace("_", " ")
    one = re.sub(r"(?<=ch|ss|sh)es$|s$", "", re.sub(r"ies$", "y", many))
    return count(value, one, many)

"""Names that somebody may have meant when a name isn't known. Pure."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

ALIKE = 0.75  # difflib's ratio; one letter in four may differ
MOST_NAMES = 2_000  # compared; an account has at most 1,000 lists and 500 custom fields


def nearest(wanted: str, names: Iterable[str]) -> str | None:
    """The name that differs in case, white space or punctuation only, else the one most alike."""
    known = list(names)[:MOST_NAMES]
    same = [name for name in known if _letters(name) == _letters(wanted)]
    if same and _letters(wanted):
        return same[0]
    by_lower = {name.lower(): name for name in reversed(known)}
    alike = difflib.get_close_matches(wanted.lower()[:200], by_lower, n=1, cutoff=ALIKE)
    return by_lower[alike[0]] if alike else None


def meant(wanted: str, names: Iterable[str]) -> str:
    """The beginning of an advice: "did you mean 'x'? Otherwise ", or "" if nothing is near."""
    found = nearest(wanted, names)
    return f"did you mean {found!r}? Otherwise " if found else ""


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", name)).casefold()

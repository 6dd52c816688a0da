"""SendGrid's reasons for refusing a contact, without what they say about the person. Pure.

How the reasons of an errors file look is documented nowhere; they may hold the refused values.
"""

from __future__ import annotations

import re

MAX_REASON = 200  # characters
NOTHING_PLAIN = "refused"
"""What stands for a reason without any plain word."""
QUOTED = re.compile(r"(['\"`]).*\1", re.DOTALL)
"""From the first quote to the last: addresses may hold quotes themselves (o'brien@…)."""
ADDRESS = re.compile(r"\S*@\S*")
_WORD = re.compile(r"[a-z_]+(?:'[a-z]{1,2})?[.,:;!]?|[A-Z][a-z]+[.,:;]?", re.ASCII)
_OPENERS = {
    "a", "an", "bad", "cannot", "contact", "custom", "date", "duplicate", "email", "error",
    "failed", "field", "first", "identifier", "invalid", "last", "length", "max", "maximum",
    "missing", "must", "no", "not", "number", "phone", "postal", "required", "row", "state",
    "text", "the", "this", "too", "type", "unable", "unknown", "unsupported", "value",
}  # fmt: skip
"""Capitalised words that begin a reason; any other one may be a name."""


def plain(reason: str) -> str:
    """The reason's plain words: no quoted value, address, number, name or foreign letter.

    What is left out shows as "…". At most 200 characters.
    """
    text = ADDRESS.sub("…", QUOTED.sub("…", reason[: 10 * MAX_REASON]))
    words = [word if _is_plain(word) else "…" for word in text.split()]
    kept = [w for n, w in enumerate(words) if w != "…" or n == 0 or words[n - 1] != "…"]
    shown = " ".join(kept)[:MAX_REASON].strip()
    return shown if shown.strip("… ") else NOTHING_PLAIN


def _is_plain(word: str) -> bool:
    if not _WORD.fullmatch(word):
        return False
    return word[0].islower() or word.rstrip(".,:;").lower() in _OPENERS

"""SendGrid's reasons for refusing a contact, without what they say about the person. Pure.

How the reasons look is documented nowhere; they may hold the refused values, and with them whatever
a client typed: line ends that forge a log line, markup and links that a chat would show as its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_REASON = 200  # characters
MAX_WORD = 30
NOTHING_PLAIN = "refused"
"""What stands for a reason without any plain word."""
QUOTED = re.compile(r"(['\"`]).*\1", re.DOTALL)
"""From the first quote to the last: addresses may hold quotes themselves (o'brien@…)."""
_QUOTED_OTHERWISE = re.compile(
    "[\u2018\u201a-\u201c\u201e\u00ab\u2039\u300c].*[\u2018\u2019\u201c\u201d\u00bb\u203a\u300d]",
    re.DOTALL,
)
"""The quotes of other languages."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_MARKUP = re.compile(r"<[^>]*>?|&#?\w+;|\[[^\]]*\]\([^)]*\)|\{[^}]*\}?", re.DOTALL)
ADDRESS = re.compile(r"\S*@\S*")
_WORD = re.compile(r"[a-z_]+(?:'[a-z]{1,2})?[.,:;!]?|[A-Z][a-z]+[.,:;]?", re.ASCII)
_OPENERS = {
    "a", "address", "an", "bad", "cannot", "city", "column", "contact", "country", "custom", "date",
    "duplicate", "email", "error", "failed", "field", "first", "float", "identifier", "import",
    "invalid", "last", "length", "malformed", "max", "maximum", "missing", "must", "no", "not",
    "number", "phone", "please", "postal", "provide", "request", "required", "row", "state", "text",
    "the", "this", "too", "type", "unable", "unexpected", "unknown", "unsupported", "value",
}  # fmt: skip
"""Capitalised words that begin a reason; any other one may be a name."""
_ORDINARY = _OPENERS | {
    "already", "allowed", "and", "are", "be", "been", "by", "characters", "does", "exceeds",
    "exist", "exists", "for", "format", "greater", "has", "in", "is", "it", "less", "longer",
    "match", "more", "of", "on", "only", "or", "please", "supported", "than", "to", "use",
    "valid", "was", "with",
}  # fmt: skip
"""Words that say nothing of a person, although a value of one may hold them."""
_PART = re.compile(r"[^\W_]+")


def plain(reason: str, values: Iterable[str] = ()) -> str:
    """The reason's plain words: no quoted value, address, number, name, markup or foreign letter,
    and no word of the contact's own `values`.

    What is left out shows as "…". At most 200 characters in one line.
    """
    text = _CONTROL.sub(" ", reason[: 10 * MAX_REASON])
    for pattern in (QUOTED, _QUOTED_OTHERWISE, _MARKUP, ADDRESS):
        text = pattern.sub(" … ", text)
    own = {part.lower() for value in values for part in _PART.findall(value)} - _ORDINARY
    words = [word if _is_plain(word, own) else "…" for word in text.split()]
    kept = [w for n, w in enumerate(words) if w != "…" or n == 0 or words[n - 1] != "…"]
    shown = " ".join(kept)[:MAX_REASON].strip()
    return shown if shown.strip("… ") else NOTHING_PLAIN


def _is_plain(word: str, own: set[str]) -> bool:
    if len(word) > MAX_WORD or not _WORD.fullmatch(word):
        return False
    bare = word.rstrip(".,:;!")
    if bare.strip("_") != bare or bare.lower() in own:
        return False
    return word[0].islower() or bare.lower() in _OPENERS

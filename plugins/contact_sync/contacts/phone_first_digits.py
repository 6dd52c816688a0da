"""Whether digits are a number of a plan, told by their first digits: a table instead of a pattern.
Pure.

A pattern of libphonenumber says something of the first digits only, of seven at most in nearly all;
behind them any digit may follow. So what it says of one number holds for all that are as long and
begin alike, and is looked up; a pattern has to be compiled again for each column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from contact_sync.base.arrays import Int64, Mask
from contact_sync.contacts.arrow_columns import mask_of

MOST_FIRST_DIGITS = 7
"""A table of more would be too large: of these it has 10 MB, of which only touched pages exist."""
_TOKEN = re.compile(r"\\d|\d|\[[\d-]+\]|\(\?:|\)|\||\?|\{\d+(?:,\d+)?\}")
_ANY_DIGIT, _UNKNOWN, _INVALID = r"\d", 0, 1


@dataclass(frozen=True, slots=True)
class FirstDigits:
    """Of numbers of one length: which first digits those have that match all the patterns."""

    patterns: tuple[str, ...]
    length: int
    told: int
    _known: npt.NDArray[np.int8] = field(repr=False)

    @classmethod
    def of(cls, patterns: tuple[str, ...], length: int) -> FirstDigits | None:
        """None where the patterns look at too many digits for a table."""
        told = min(length, max(map(digits_told, patterns)))
        known = np.zeros(10**told if told <= MOST_FIRST_DIGITS else 0, np.int8)
        return cls(patterns, length, told, known) if len(known) else None

    def hold(self, octets: npt.NDArray[np.uint8], at: Int64) -> Mask:
        """Which numbers match: each is `length` digits of the octets, from `at` on."""
        first = np.zeros(len(at), np.int64)
        for place in range(self.told):
            first = first * 10 + (octets[at + place] - np.uint8(ord("0")))
        new = np.unique(first[self._known[first] == _UNKNOWN])
        if len(new):
            self._known[new] = _INVALID + self._judged(new)
        return np.asarray(self._known[first] > _INVALID, bool)

    def _judged(self, first: Int64) -> Mask:
        begins = pc.utf8_lpad(pc.cast(pa.array(first), pa.string()), self.told, "0")
        numbers = pc.utf8_rpad(begins if self.told else pa.array([""]), self.length, "0")
        matches = [full_match(numbers, "", pattern) for pattern in self.patterns]
        return np.asarray(np.all(matches, axis=0), bool)


def full_match(texts: pa.Array, head: str, pattern: str) -> Mask:
    """Which texts are `head` and something that the pattern matches whole."""
    return mask_of(pc.match_substring_regex(texts, f"^{re.escape(head)}(?:{pattern})$"))


def digits_told(pattern: str) -> int:
    """At most so many first digits a pattern says anything of; a large number if it isn't known."""
    tokens = _TOKEN.findall(pattern)
    if "".join(tokens) != pattern:
        return MOST_FIRST_DIGITS + 1
    return _widths(tokens[::-1])[1]


def _widths(tokens: list[str]) -> tuple[int, int]:
    """Of what stands before the next closing bracket, the widest alternative's digits: all, and
    those up to the last that can't be any digit. Takes the tokens off the end of the list."""
    widest = told = width = 0
    while tokens and (mark := tokens.pop()) != ")":
        if mark == "|":
            widest, width = max(widest, width), 0
            continue
        wide, of_these = _widths(tokens) if mark == "(?:" else (1, int(mark != _ANY_DIGIT))
        times = _times(tokens)
        if of_these:
            told = max(told, width + (times - 1) * wide + of_these)
        width += times * wide
    return max(widest, width), told


def _times(tokens: list[str]) -> int:
    """How often what stands before may come, at most."""
    if tokens and tokens[-1] == "?":
        tokens.pop()
    elif tokens and tokens[-1].startswith("{"):
        return int(tokens.pop().strip("{}").split(",")[-1])
    return 1

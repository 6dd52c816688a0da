"""Long and hostile texts cost no more than their share: what slow code is given is short.

No clock: a busy machine would say nothing about the code. What NFC, which sorts runs of marks, and
the search for graphemes are handed is measured instead.
"""

from __future__ import annotations

import unicodedata
from typing import Any

import phonenumbers
import pytest
import regex

from contact_sync.contacts import converters, phones, text_columns
from tests.support.columns import column, values

MARKS = "a" + "\u0301\u0323\u0331" * 200_000
HOSTILE = [MARKS, "e\u0301" * 300_000, "\u200d" * 300_000, "x\u0300" + " \u0300" * 300_000]


def longest_run(text: str) -> int:
    """Combining marks in a row."""
    return max(map(len, regex.findall(r"\p{M}+", text)), default=0)


def test_P10_composing_never_sees_a_long_text_or_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of n marks would cost n squared."""
    seen: list[str] = []
    real = unicodedata.normalize

    def spy(form: Any, text: str) -> str:
        seen.append(text)
        return real(form, text)

    monkeypatch.setattr(unicodedata, "normalize", spy)
    found = converters.text(text_columns.as_text(column(HOSTILE)), 50)
    assert all(len(value) <= 50 for value in values(found.values) if value)
    assert seen
    assert max(map(len, seen)) <= text_columns.MAX_RAW
    assert max(map(longest_run, seen)) <= 30


def test_P10_graphemes_are_looked_for_near_the_limit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the text is."""
    seen: list[int] = []
    real = regex.finditer

    def spy(pattern: Any, text: str) -> Any:
        seen.append(len(text))
        return real(pattern, text)

    monkeypatch.setattr(regex, "finditer", spy)
    converters.text(column(["\u00e9" * 400_000, "ab " * 300_000, MARKS]), 50)
    assert seen == [101, 101, 101]


def test_P10_the_phone_library_never_sees_more_than_digits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its own patterns take exponential time for some texts, `;phone-context=` among them."""
    seen: list[str] = []
    real = phonenumbers.parse

    def spy(number: str, region: str | None = None) -> Any:
        seen.append(number)
        return real(number, region)

    monkeypatch.setattr(phonenumbers, "parse", spy)
    texts = [
        "+1;phone-context=" + ";phone-context=+1" * 5_000, "1" * 100_000, "(" * 50_000,
        "tel:+41 79 123 45 67;phone-context=+41", "+41 79 123 45 67 ext. 5", "12 (0)" * 20_000,
        "+41 79 123 45 67" + " " * 50_000, "(0)79 / 123 45 67", "\u0660" * 249,
    ]  # fmt: skip
    phones.e164(column(texts), column(["CH"] * len(texts)))
    assert seen
    assert [text for text in seen if not regex.fullmatch(r"\+?[0-9]{1,250}", text)] == []

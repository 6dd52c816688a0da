"""Converters: tables of cases, and the same as a plain per-value reference for any text."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from contact_sync.contacts import converters, emails, phones, text_columns
from tests.support.columns import column, reasons, values

UNSEEN = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
BLANK = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0000-\U000e0fff"
)
TEXTS = st.lists(st.none() | st.text(max_size=30), max_size=12)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (" Ann  Lee ", "Ann Lee"),
        ("Weg 1\r\n2. Stock\x00", "Weg 1 2. Stock"),
        ("a\u00a0\u2003b\u2028c", "a b c"),
        ("Zoe\u0308", "Zoë"),
        ("\x1f", None),
        ("", None),
        (None, None),
    ],
)
def test_text_is_one_clean_line(raw: str | None, clean: str | None) -> None:
    """NFC, no controls, single spaces, no blanks around; empty is no value."""
    assert values(text_columns.as_text(column([raw]))) == [clean]


def test_texts_of_many_columns_are_as_each_by_itself() -> None:
    """Few distinct values and many, numbers and nothing, each cut at its own length."""
    columns = [
        column([" Ann ", "Zoe\u0308", None, "", " Ann "] * 4),
        column([f"Street  {n}" for n in range(20)]),
        column([None] * 20),
        pd.Series([1, 2, None, 1, 2] * 4, dtype=pd.ArrowDtype(pa.int64())),
    ]
    lengths = [2, 8, 5, 5]
    found = converters.texts(columns, lengths)
    alone = [
        converters.text(text_columns.as_text(one), length)
        for one, length in zip(columns, lengths, strict=True)
    ]
    assert [values(one.values) for one in found] == [values(one.values) for one in alone]
    assert values(found[0].values) == ["An", "Zo", None, None, "An"] * 4
    assert [reasons(one, row=11) for one in found] == [reasons(one, row=11) for one in alone]
    assert reasons(found[1], row=11) == ["too_long"]
    assert converters.texts([], []) == []


FAMILY = "👨‍👩‍👧"


@pytest.mark.parametrize(
    ("raw", "limit", "cut"),
    [
        ("abcde", 5, "abcde"),
        ("abcdef", 5, "abcde"),
        ("abcd ef", 5, "abcd"),
        ("abc" + FAMILY, 5, "abc"),
        ("abc" + FAMILY, 8, "abc" + FAMILY),
        ("ab\u0915\u094d\u0937c", 3, "ab"),
        (FAMILY, 3, FAMILY[:3]),
    ],
)
def test_B11_texts_are_cut_between_graphemes(raw: str, limit: int, cut: str | None) -> None:
    """Never inside what a person sees as one character; the cut is counted."""
    found = converters.text(column([raw]), limit)
    assert values(found.values) == [cut]
    assert reasons(found) == (["too_long"] if len(raw) > limit else [])


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("0", "0"),
        ("15.50", "15.5"),
        ("-3", "-3"),
        ("1e3", "1000"),
        ("007", "7"),
        ("123456789012345678901234567890.129", None),
        ("NaN", None),
        ("Infinity", None),
        ("1,5", None),
        ("12 000", None),
        ("٣", None),
        ("ten", None),
        ("", None),
    ],
)
def test_B12_numbers_are_plain_with_two_decimals(raw: str, number: str | None) -> None:
    """What SendGrid's CSV and JSON both take."""
    found = converters.number(column([raw]))
    assert values(found.values) == [number]
    assert reasons(found) == (["not_a_number"] if raw and number is None else [])


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("1.005", "1"),
        ("1.015", "1.02"),
        ("-0.001", "0"),
        ("0.00012345", "0"),
        ("123456789012.129", "123456789012.13"),
        ("1e-3", "0"),
    ],
)
def test_B12_what_loses_a_decimal_is_counted(raw: str, number: str) -> None:
    """Sent all the same, and reported like a text that was cut."""
    found = converters.number(column([raw]))
    assert (values(found.values), reasons(found)) == ([number], ["rounded"])


def test_integer_columns_are_numbers() -> None:
    """Not only text."""
    found = converters.number(pd.Series([1, None, -7], dtype=pd.ArrowDtype(pa.int64())))
    assert values(found.values) == ["1", None, "-7"]
    assert converters.is_negative(found.values).tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("raw", "day"),
    [
        ("2024-02-29", "2024-02-29"),
        ("2024-02-29T23:30:00+14:00", "2024-02-29"),
        ("2024-03-01T01:00:00+02:00", "2024-02-29"),
        ("2023-02-29", None),
        ("29.02.2024", None),
        ("1700000000", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-01:00", None),
        ("infinity", None),
    ],
)
def test_B10_dates_are_days_in_utc(raw: str, day: str | None) -> None:
    """No local zone shifts a day."""
    found = converters.day(column([raw]))
    assert values(found.values) == [day]
    assert reasons(found) == ([] if day else ["not_a_date"])


def test_B10_date_and_timestamp_columns() -> None:
    """A timestamp's day is that of UTC."""
    late = datetime(2024, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))).astimezone(UTC)
    stamps = pd.Series([late, None], dtype=pd.ArrowDtype(pa.timestamp("us", "UTC")))
    assert values(converters.day(stamps).values) == ["2023-12-31", None]
    days = pd.Series([date(2024, 1, 1)], dtype=pd.ArrowDtype(pa.date32()))
    assert values(converters.day(days).values) == ["2024-01-01"]
    elsewhere = text_columns.arrow(stamps).cast(pa.timestamp("us", "Asia/Tokyo"))
    assert values(converters.day(text_columns.series(elsewhere)).values) == ["2023-12-31", None]


@pytest.mark.parametrize(
    ("ticks", "kind", "day"),
    [
        (-719_162, pa.date32(), "0001-01-01"),
        (-719_163, pa.date32(), None),
        (2_932_896, pa.date32(), "9999-12-31"),
        (2_932_897, pa.date32(), None),
        (2**31 - 1, pa.date32(), None),
        (-(2**31), pa.date32(), None),
        (2_932_897 * 86_400_000_000 - 1, pa.timestamp("us", "UTC"), "9999-12-31"),
        (2_932_897 * 86_400_000_000, pa.timestamp("us", "UTC"), None),
        (2**63 - 1, pa.timestamp("us", "UTC"), None),
        (-719_162 * 86_400_000_000 - 1, pa.timestamp("us"), None),
    ],
)
def test_B09_infinity_and_far_years_are_no_dates(ticks: int, kind: pa.DataType, day: str) -> None:
    """PostgreSQL's dates reach beyond four digits; SendGrid would refuse the whole batch."""
    storage = pa.int32() if pa.types.is_date(kind) else pa.int64()
    found = converters.day(text_columns.series(pa.array([ticks], storage).cast(kind)))
    assert values(found.values) == [day]
    assert reasons(found) == ([] if day else ["not_a_date"])


def plain_text(value: str | None) -> str | None:
    """`as_text`, one value at a time."""
    composed = unicodedata.normalize("NFC", value or "")
    line = regex.sub(r"[\p{Z}\p{Cc}]+", " ", composed)
    line = regex.sub(rf"^[ {UNSEEN}]+|[ {UNSEEN}]+$", "", line)
    return None if regex.fullmatch(rf"[ {UNSEEN}{BLANK}]*", line) else line


@given(TEXTS)
def test_whole_columns_give_the_same_as_single_values(texts: list[str | None]) -> None:
    """Vectorised and plain agree for any text, and cleaning twice changes nothing."""
    clean = text_columns.as_text(column(texts))
    assert values(clean) == [plain_text(text) for text in texts]
    assert values(text_columns.as_text(clean)) == values(clean)


CONVERTERS: list[Callable[[pd.Series[Any]], pd.Series[Any]]] = [
    text_columns.as_text,
    emails.normalised,
    lambda c: emails.sendable(emails.normalised(c)).values,
    lambda c: phones.e164(c, column([None] * len(c))).values,
    lambda c: converters.text(text_columns.as_text(c), 5).values,
    lambda c: converters.number(c).values,
    lambda c: converters.day(c).values,
]


@pytest.mark.parametrize("convert", CONVERTERS)
@given(texts=TEXTS, cut=st.integers(0, 12))
def test_any_text_and_any_slice_converts(
    convert: Callable[[pd.Series[Any]], pd.Series[Any]], texts: list[str | None], cut: int
) -> None:
    """Nothing raises; a slice with an offset gives the same; what has no value keeps none."""
    whole = values(convert(column(texts)))
    sliced = text_columns.series(pa.array(["x", *texts], pa.string()).slice(1)[cut:])
    assert values(convert(sliced)) == whole[cut:]
    assert all(found is None for raw, found in zip(texts, whole, strict=True) if raw is None)


def test_B07_usual_characters_are_clean_in_every_text() -> None:
    """What isn't in TO_CLEAN is NFC whatever stands beside it, can be seen, and is no odd space."""
    everything = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    looked_at = pc.match_substring_regex(pa.array(everything), text_columns.TO_CLEAN).to_pylist()
    usual = [one for one, looked in zip(everything, looked_at, strict=True) if not looked]
    decomposed = [unicodedata.normalize("NFD", one) for one in everything]
    join = {parts[-1] for parts in decomposed if len(parts) > 1}
    assert len(usual) > 40_000
    assert [one for one in usual if unicodedata.normalize("NFC", one) != one] == []
    assert [one for one in usual if unicodedata.combining(one) or one in join] == []
    unseen = ("Cc", "Cf", "Zl", "Zp", "Zs", "Co", "Cs")
    assert [one for one in usual if unicodedata.category(one) in unseen] == [" "]
    between = values(text_columns.as_text(column([f"a{one}\u0301z" for one in usual])))
    assert between == [unicodedata.normalize("NFC", f"a{one}\u0301z") for one in usual]


def test_B07_characters_that_are_not_looked_at_are_in_nfc_in_every_text() -> None:
    """Whatever isn't in MAY_COMPOSE never changes by itself, and never joins the one before it."""
    everything = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    looked_at = pc.match_substring_regex(pa.array(everything), text_columns.MAY_COMPOSE).to_pylist()
    skipped = {one for one, looked in zip(everything, looked_at, strict=True) if not looked}
    decomposed = [unicodedata.normalize("NFD", one) for one in everything]
    join = {parts[-1] for parts in decomposed if len(parts) > 1}
    assert len(skipped) > 1_000
    assert not skipped & join
    assert [one for one in skipped if unicodedata.normalize("NFC", one) != one] == []
    assert [one for one in skipped if unicodedata.combining(one)] == []

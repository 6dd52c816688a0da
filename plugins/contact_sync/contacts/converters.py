"""Turn texts, numbers and dates into SendGrid's formats, a whole Arrow-backed pandas column at a
time. Pure. E-mail addresses and phone numbers have rules of their own: `emails`, `phones`.

A converter takes a text column and gives the converted column plus the problems it met: a mask of
rows and a reason for each. What happens to such a row (drop the value, reject the client) is the
transform's decision. Empty text means "no value". A slow library (regex here) sees only the
distinct values that a vectorised pattern can't decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import regex

from contact_sync.base.arrays import Mask
from contact_sync.base.vocabulary import Refusal, ValueProblem
from contact_sync.contacts.arrow_columns import mask_of, null_if_empty
from contact_sync.contacts.text_columns import arrow, as_text, fix, only, series, trimmed

_NUMBER = r"^-?[0-9]{1,300}(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?$"
_CERTAIN_DIGITS = 15  # of a float8: what is beyond them is noise of the binary form
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31, days from 1970
_PER_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_STATED = regex.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
    r"(?: ?(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?))?)?"
)
"""2026-11-27, with or without a time of day, with or without its distance from UTC. Python reads
more, among it milliseconds from 1970 as the year 1612."""


@dataclass(slots=True)
class Converted:
    """A converted column (text, null = no value) and the rows that didn't fit, by reason."""

    values: pd.Series[Any]
    problems: dict[ValueProblem, Mask] | dict[ValueProblem | Refusal, Mask] = field(
        default_factory=dict
    )


def texts(columns: Sequence[pd.Series[Any]], max_lengths: Sequence[int]) -> list[Converted]:
    """Of each column `text` of `as_text`, at most `max_lengths` code points long.

    Each distinct value is looked at once where most come again and again, as names, cities and
    levels do, and all columns' together: most of what that costs is the same for any number.
    """
    parts = [_distinct(arrow(column)) for column in columns]
    together = pa.concat_arrays([pa.nulls(0, pa.string()), *(values for values, _ in parts)])
    cleaned = arrow(as_text(series(together)))
    sizes = [len(values) for values, _ in parts]
    long = mask_of(pc.greater(pc.utf8_length(cleaned), pa.array(np.repeat(max_lengths, sizes))))
    found, start = [], 0
    for (_, at), max_length, size in zip(parts, max_lengths, sizes, strict=True):
        values = series(cleaned.slice(start, size))
        is_long = long[start : start + size].any()
        converted = text(values, max_length) if is_long else Converted(values)
        found.append(converted if at is None else _taken(converted, at))
        start += size
    return found


def _distinct(array: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    """The distinct values as text, with the place of each row's; or all values."""
    encoded = array.dictionary_encode()
    is_few = 2 * len(encoded.dictionary) <= len(encoded)
    values, at = (encoded.dictionary, encoded.indices) if is_few else (array, None)
    return pc.cast(values, pa.string()), at


def _taken(converted: Converted, at: pa.Array) -> Converted:
    problems = {
        reason: mask_of(pa.array(rows).take(at)) for reason, rows in converted.problems.items()
    }
    return Converted(series(arrow(converted.values).take(at)), problems)


def text(column: pd.Series[Any], max_length: int) -> Converted:
    """Cut texts to at most `max_length` code points, never inside a grapheme. Reason: `too_long`.

    What SendGrid does with longer values is unknown, so none is sent. A single grapheme that is
    longer loses its last marks: a cut never leaves nothing.
    """
    array = arrow(column)
    long = mask_of(pc.greater(pc.utf8_length(array), max_length))
    if not long.any():
        return Converted(column)
    cut = fix(array, long, lambda value: cut_text(value, max_length))
    return Converted(series(only(cut, long, trimmed)), {ValueProblem.TOO_LONG: long})


def cut_text(value: str, max_length: int) -> str:
    """As many whole graphemes as fit."""
    end = 0
    for grapheme in regex.finditer(r"\X", value[: 2 * max_length + 1]):
        if grapheme.end() > max_length:
            break
        end = grapheme.end()
    return value[:end] or value[:max_length]


def number(column: pd.Series[Any]) -> Converted:
    """Plain decimal notation with at most two decimals (Twilio docs, *Formatting a CSV*).

    Reasons: `not_a_number` (also NaN and infinities), and `rounded`: a third decimal was there.
    """
    array = arrow(column)
    binary = pa.types.is_floating(array.type)
    array = array if pa.types.is_string(array.type) else pc.cast(array, pa.string())
    array = null_if_empty(pc.utf8_trim_whitespace(array))
    whole = mask_of(pc.match_substring_regex(array, r"^(?:0|-?[1-9][0-9]{0,14})$"))
    other = ~whole & ~mask_of(pc.is_null(array))
    if not other.any():
        return Converted(series(array))
    exact = fix(array, other, lambda value: _exact(value, binary=binary))
    rounded = fix(exact, other, _two_decimals)
    problems = {ValueProblem.NOT_A_NUMBER: other & mask_of(pc.is_null(rounded))}
    problems[ValueProblem.ROUNDED] = mask_of(pc.not_equal(exact, rounded))
    return Converted(series(rounded), problems)


def _exact(value: str, *, binary: bool) -> str | None:
    """The number in plain notation without zeros at its end."""
    if not regex.match(_NUMBER, value):
        return None
    number = Decimal(value)
    if binary:
        certain = Decimal(f"{number:.{_CERTAIN_DIGITS}g}")
        noise = _two_decimals(_plain(certain)) == _two_decimals(_plain(number))
        return _plain(certain if noise else number)
    return _plain(number)


def _two_decimals(value: str) -> str | None:
    try:
        return _plain(Decimal(value).quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN))
    except InvalidOperation:
        return None


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def is_negative(column: pd.Series[Any]) -> Mask:
    """Which numbers are below zero; SendGrid's CSV import may refuse them, JSON does not."""
    return np.asarray(mask_of(pc.starts_with(arrow(column), "-")), bool)


def day(column: pd.Series[Any]) -> Converted:
    """ISO dates (YYYY-MM-DD) from dates, timestamps (their UTC day) or ISO text.

    Reason: `not_a_date` (also infinity and years that don't have four digits). Without a time of
    day both of SendGrid's lanes store the same value.
    """
    array = arrow(column)
    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        odd = _outside_calendar(array)
        if pa.types.is_timestamp(array.type) and array.type.tz:
            array = pc.cast(array, pa.timestamp(array.type.unit, "UTC"))
        days = pc.strftime(pc.if_else(pa.array(odd), None, array), format="%Y-%m-%d")
        return Converted(series(days), {ValueProblem.NOT_A_DATE: odd})
    array = null_if_empty(pc.utf8_trim_whitespace(array))
    given = ~mask_of(pc.is_null(array))
    array = fix(array, given, _iso_day)
    return Converted(series(array), {ValueProblem.NOT_A_DATE: given & mask_of(pc.is_null(array))})


def _outside_calendar(array: pa.Array) -> Mask:
    if pa.types.is_date(array.type):
        days = np.asarray(pc.fill_null(pc.cast(pc.cast(array, pa.date32()), pa.int32()), 0))
    else:
        ticks = np.asarray(pc.fill_null(pc.cast(array, pa.int64()), 0))
        days = ticks // _PER_DAY[array.type.unit]
    return np.asarray((days < _FIRST_DAY) | (days > _LAST_DAY), bool)


def _iso_day(value: str) -> str | None:
    if not _STATED.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(regex.sub(r" (?=[Z+-])", "", value))
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):  # OverflowError: in UTC it is before year 1 or after 9999
        return None
    return moment.date().isoformat()

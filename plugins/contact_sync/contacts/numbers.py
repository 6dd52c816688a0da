"""Numbers in plain decimal notation with at most two decimals. Pure."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import regex

from contact_sync.base.arrays import Mask
from contact_sync.contacts.converted import Converted
from contact_sync.contacts.text_columns import arrow, fix, mask_of, null_if_empty, series

_NUMBER = r"^-?[0-9]{1,300}(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?$"
_CERTAIN_DIGITS = 15  # of a float8: what is beyond them is noise of the binary form


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
    problems = {"not_a_number": other & mask_of(pc.is_null(rounded))}
    problems["rounded"] = mask_of(pc.not_equal(exact, rounded))
    return Converted(series(rounded), problems)


def _exact(value: str, *, binary: bool) -> str | None:
    """The number in plain notation without zeros at its end."""
    if not regex.match(_NUMBER, value):
        return None
    number = Decimal(value)
    if binary:
        number = +Decimal(f"{number:.{_CERTAIN_DIGITS}g}")
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

"""Texts: cut to what a SendGrid field holds, never inside a visible character. Pure."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow.compute as pc
import regex

from contact_sync.contacts.converted import Converted
from contact_sync.contacts.text_columns import arrow, fix, mask_of, series


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
    return Converted(series(cut), {"too_long": long})


def cut_text(value: str, max_length: int) -> str:
    """As many whole graphemes as fit, without a space behind them."""
    end = 0
    for grapheme in regex.finditer(r"\X", value[: 2 * max_length + 1]):
        if grapheme.end() > max_length:
            break
        end = grapheme.end()
    return value[:end].rstrip() or value[:max_length]

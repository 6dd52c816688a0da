"""Days in ISO 8601, from dates, timestamps or text of a stated form. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import regex

from contact_sync.base.arrays import Mask
from contact_sync.contacts.converted import Converted
from contact_sync.contacts.text_columns import arrow, fix, mask_of, null_if_empty, series

_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31, days from 1970
_PER_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_STATED = regex.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(?: ?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)
"""2026-11-27, with or without a time of day, with or without its distance from UTC. Python reads
more, among it milliseconds from 1970 as the year 1612."""


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
        return Converted(series(days), {"not_a_date": odd})
    array = null_if_empty(pc.utf8_trim_whitespace(array))
    given = ~mask_of(pc.is_null(array))
    array = fix(array, given, _iso_day)
    return Converted(series(array), {"not_a_date": given & mask_of(pc.is_null(array))})


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
        moment = datetime.fromisoformat(value.replace(" Z", "Z").replace(" +", "+"))
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):  # OverflowError: in UTC it is before year 1 or after 9999
        return None
    return moment.date().isoformat()

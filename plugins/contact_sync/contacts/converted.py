"""What every converter gives: a column of texts, and the rows that didn't fit, by reason. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from contact_sync.base.arrays import Mask
from contact_sync.contacts.text_columns import arrow, mask_of, series


@dataclass(slots=True)
class Converted:
    """A converted column (text, null = no value) and the rows that didn't fit, by reason."""

    values: pd.Series[Any]
    problems: dict[str, Mask] = field(default_factory=dict)


def of_distinct(
    column: pd.Series[Any], convert: Callable[[pd.Series[Any]], Converted]
) -> Converted:
    """`convert(column)`, with each distinct value converted once where most come again and again,
    as names, cities and levels do."""
    encoded = arrow(column).dictionary_encode()
    if 2 * len(encoded.dictionary) > len(encoded):
        return convert(column)
    converted = convert(series(encoded.dictionary))
    given = mask_of(pc.is_valid(encoded.indices))
    at = np.asarray(pc.fill_null(encoded.indices, 0))
    problems = {reason: rows[at] & given for reason, rows in converted.problems.items()}
    return Converted(series(arrow(converted.values).take(encoded.indices)), problems)

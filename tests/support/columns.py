"""Text columns of a few values, and what a converter made of them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from contact_sync.contacts import text_columns
from contact_sync.contacts.converters import Converted
from contact_sync.contacts.text_columns import TEXT


def column(values: list[Any]) -> pd.Series[Any]:
    """A text column on Arrow."""
    return pd.Series(values, dtype=TEXT)


def values(found: pd.Series[Any]) -> list[Any]:
    """Python values, None where there is none."""
    return list(text_columns.arrow(found).to_pylist())


def reasons(converted: Converted, row: int = 0) -> list[str]:
    """The problems of one row."""
    return [reason for reason, rows in converted.problems.items() if rows[row]]

"""Rows as CSV that a spreadsheet can open safely. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet take a cell for a formula (OWASP, CSV Injection); the last four are wide
forms of the first."""


def csv_lines(rows: Iterable[Iterable[Any]]) -> bytes:
    """The rows in UTF-8; every cell is quoted, and one that looks like a formula begins with '."""
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, quoting=csv.QUOTE_ALL)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return sink.getvalue().encode()


def safe_cell(value: Any) -> str:
    """A cell as text, None = empty; a number, which may be negative, is no formula."""
    if isinstance(value, int | float):
        return str(value)
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text

"""Rows as CSV that a spreadsheet can open safely. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
"""What makes a spreadsheet take a cell for a formula (OWASP, CSV Injection); the last four are wide
forms of the first."""
_SEPARATORS = ";,|\\t\\r\\n"
"""A spreadsheet may be set to another separator than the comma, as in most of Europe: what follows
it in a cell is then a cell of its own."""
_FORMULA = re.compile(rf"(^|[{_SEPARATORS}])([ \xa0\"']*)(?=[{_SIGNS}])")
_INVISIBLE = ("\t", "\r", "\n")


def csv_lines(rows: Iterable[Iterable[Any]]) -> bytes:
    """The rows in UTF-8; every cell is quoted, and what a spreadsheet may take for a formula, after
    whatever separator, has a ' before it."""
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, quoting=csv.QUOTE_ALL)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return sink.getvalue().encode()


def safe_cell(value: Any) -> str:
    """A cell as text, None = empty; a number, which may be negative, is no formula."""
    if isinstance(value, int | float):
        return str(value)
    text = "" if value is None else str(value)
    safe = _FORMULA.sub(r"\1\2'", text)
    return f"'{safe}" if safe.startswith(_INVISIBLE) else safe

"""A CSV file that a spreadsheet opens shows text, and computes nothing."""

from __future__ import annotations

import csv

import pytest

from contact_sync.reporting.csv_export import csv_lines, safe_cell


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff20"])
def test_a_cell_that_looks_like_a_formula_is_text(start: str) -> None:
    """Whatever it begins with; inside a cell these characters are harmless."""
    formula = f'{start}HYPERLINK("https://example.com")'
    assert safe_cell(formula) == f"'{formula}"
    assert safe_cell(f"a{formula}") == f"a{formula}"


def test_cells_come_back_as_they_were() -> None:
    """Quotes, separators, line ends and letters of any script; None is empty."""
    row = ["1", 'a "quoted", b', "two\nlines", "Zoë, 東京", ""]
    text = csv_lines([[1, *row[1:4], None]]).decode("utf-8")
    assert next(csv.reader(text.splitlines(keepends=True), strict=True)) == row

"""A CSV file that a spreadsheet opens shows text, and computes nothing."""

from __future__ import annotations

import csv

import pytest

from contact_sync.reporting.csv_export import csv_lines, safe_cell


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff20"])
def test_a_cell_that_looks_like_a_formula_is_text(start: str) -> None:
    """Whatever it begins with; inside a word these characters are harmless."""
    formula = f'{start}HYPERLINK("https://example.com")'
    assert safe_cell(formula) == f"'{formula}"
    assert safe_cell(f"a{formula}") == f"a{formula}"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d"])
@pytest.mark.parametrize("before", [";", "x;", "a; ", ",", "|", "x\ty\t", "x\r", "x\n", '";"', " "])
def test_what_another_separator_would_make_a_cell_computes_nothing_either(
    before: str, start: str
) -> None:
    """In most of Europe a spreadsheet takes `;` for one, whatever is in quotes to us."""
    said = safe_cell(f"{before}{start}1+1")
    assert said.endswith(f"'{start}1+1")
    assert said.replace("'", "") == f"{before}{start}1+1"


def test_safe_cells_take_linear_time() -> None:
    """Of separators, spaces and quotes, however many."""
    assert safe_cell("; \"'" * 200_000 + "=") == "; \"'" * 200_000 + "'="


def test_cells_come_back_as_they_were() -> None:
    """Quotes, separators, line ends and letters of any script; None is empty."""
    row = ["1", 'a "quoted", b', "two\nlines", "Zoë, 東京", ""]
    text = csv_lines([[1, *row[1:4], None]]).decode("utf-8")
    assert next(csv.reader(text.splitlines(keepends=True), strict=True)) == row


def test_a_negative_number_stays_one() -> None:
    """Ids are numbers, and may be negative; a text that looks like one isn't."""
    assert [safe_cell(value) for value in (-4711, "-4711")] == ["-4711", "'-4711"]

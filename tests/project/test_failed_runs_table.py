"""docs/failed-run.md: each failure of its table has a test, and each test of failures has a row."""

from __future__ import annotations

import re

from tests.support.airflow_home import ROOT

DOCUMENT = ROOT / "docs" / "failed-run.md"
TOLD = ROOT / "tests" / "dags" / "test_told_failures.py"
REFERENCE = re.compile(r"`(?:tests/dags/)?(test_\w+\.py)(?:::(\w+))?`")


def rows() -> dict[str, str]:
    """What went wrong → where it is asserted; "the same" is where the row above is."""
    text = DOCUMENT.read_text(encoding="utf-8")
    section = text.partition("## By what went wrong")[2].partition("\n## ")[0]
    found, before = {}, ""
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0] != "What":
            before = before if cells[-1] == "the same" else cells[-1]
            found[cells[0]] = before
    return found


def test_each_failure_of_the_table_has_its_test() -> None:
    """A file that is there, and in it the test that is named."""
    assert len(rows()) > 15
    for what, asserted in rows().items():
        references = REFERENCE.findall(asserted)
        assert references, what
        for file, test in references:
            text = (ROOT / "tests" / "dags" / file).read_text(encoding="utf-8")
            assert not test or f"def {test}(" in text, (what, test)


def test_each_failure_that_is_tested_has_a_row() -> None:
    """Under the name that it has there."""
    named = ", ".join(rows()).split(", ")
    cases = re.findall(r'Case\("([^"]+)"', TOLD.read_text(encoding="utf-8"))
    assert len(cases) > 5
    assert set(cases) <= set(named)

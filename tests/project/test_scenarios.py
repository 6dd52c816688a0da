"""The list of failure scenarios is whole, and the tests and the document agree with it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.support import scenarios
from tests.support.proofs import Proof
from tests.support.scenarios import GUARANTEES, LEFT_OUT, SCENARIOS, SECTIONS


def test_the_list_is_whole() -> None:
    """All sections with all their numbers, and promises that rest on existing scenarios only."""
    sizes = Counter(name[0] for name in SCENARIOS)
    wanted = [f"{letter}{n:02}" for letter in SECTIONS for n in range(1, sizes[letter] + 1)]
    assert list(SCENARIOS) == wanted
    assert list(GUARANTEES) == [f"G{n}" for n in range(1, 11)]
    named = {scenario for _, ids in GUARANTEES.values() for scenario in ids.split()}
    assert named <= SCENARIOS.keys() - LEFT_OUT.keys()


def test_every_scenario_has_a_test_or_a_reason() -> None:
    """And never both; no test names a scenario that doesn't exist."""
    found = scenarios.proofs()
    assert found.keys() - SCENARIOS.keys() == set()
    assert LEFT_OUT.keys() - SCENARIOS.keys() == set()
    assert found.keys() & LEFT_OUT.keys() == set()
    assert SCENARIOS.keys() - found.keys() - LEFT_OUT.keys() == set()


def test_reasons_and_titles_are_sentences() -> None:
    """A reason that says nothing is none; a title says what happens and what follows."""
    assert [what for what in SCENARIOS.values() if what.count(" → ") != 1] == []
    assert [reason for reason in LEFT_OUT.values() if len(reason) < 40] == []
    assert [title for title, n in Counter(SCENARIOS.values()).items() if n > 1] == []


def test_tests_are_found_by_their_names(tmp_path: Path) -> None:
    """One or several ids, at any depth; other names are no proof."""
    (tmp_path / "deep").mkdir()
    source = "def test_A01_A04_late(): ...\ndef test_x_A02(): ...\ndef test_G10_load(): ...\n"
    (tmp_path / "deep" / "test_it.py").write_text(source, encoding="utf-8")
    proof = Proof("deep/test_it.py", "test_A01_A04_late")
    assert scenarios.proofs(tmp_path) == {"A01": [proof], "A04": [proof]}


def test_the_document_is_up_to_date() -> None:
    """`python -m tests.support.scenarios` writes it."""
    assert scenarios.DOCUMENT.read_text(encoding="utf-8") == scenarios.document()

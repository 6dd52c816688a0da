"""What a verification stores as a code is shown in words."""

from __future__ import annotations

import pytest

from contact_sync.base.verdicts import (
    BREACHES,
    HARMLESS,
    Count,
    Verdict,
    is_equal,
    told,
    told_compared,
)


@pytest.mark.parametrize("code", [*Verdict, *Count])
def test_every_code_has_words_for_one_and_for_many(code: str) -> None:
    one, many = told(code, 1), told(code, 2)
    assert (one[:2], many[:2]) == ("1 ", "2 ")
    assert one[2:] != many[2:]
    assert "_" not in one + many


def test_only_foreign_contacts_leave_both_sides_equal() -> None:
    """A breach, or what can't be compared, is no proof of anything."""
    assert is_equal({Count.EQUAL: 3, Count.WAITING: 1})
    assert [code for code in Verdict if is_equal({code: 1})] == list(HARMLESS)
    assert not set(BREACHES) & set(HARMLESS)


def test_where_everybody_waits_nothing_is_called_equal() -> None:
    """Who waits is told beside who was compared."""
    nobody: dict[str, int] = {Count.COMPARED: 8, Count.EQUAL: 0, Count.WAITING: 8}
    assert not is_equal(nobody)
    assert told_compared(nobody) == (
        "8 contacts compared; 8 clients have changed and wait for a run"
    )
    assert is_equal({Count.COMPARED: 0, Count.EQUAL: 0})
    assert told_compared({Count.COMPARED: 1, Count.EQUAL: 1}) == "1 contact compared"

"""Statements that are several SELECTs."""

from __future__ import annotations

import pytest

from contact_sync.b2core.union import selects_of

HIDDEN = "SELECT ' UNION ALL ', $q$ UNION ALL $q$, (SELECT 1 UNION ALL SELECT 2) /* ORDER BY */"


@pytest.mark.parametrize(
    ("text", "selects"),
    [
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT a UNION ALL SELECT b\nunion all select c", ["SELECT a", "SELECT b", "select c"]),
        (f'{HIDDEN} UNION ALL SELECT "limit" -- LIMIT', [HIDDEN, 'SELECT "limit" -- LIMIT']),
        ("SELECT a UNION SELECT b UNION ALL SELECT c", None),
        ("WITH x AS (SELECT 1) SELECT a UNION ALL SELECT b", None),
        ("SELECT a UNION ALL SELECT b ORDER BY 1", None),
        ("SELECT a UNION ALL SELECT b EXCEPT SELECT c", None),
    ],
    ids=["one", "three", "hidden", "distinct", "with", "ordered", "except"],
)
def test_each_select_by_itself(text: str, selects: list[str] | None) -> None:
    """None: it isn't as simple as that, so it stays whole."""
    assert [one.strip() for one in selects_of(text)] == (selects or [text])

"""W02, W04: what has moved between two looks at PostgreSQL's counts."""

from __future__ import annotations

from contact_sync.b2core.watch import moved
from contact_sync.base.source_look import SourceCounts, TableCounts

TABLES = {7: TableCounts("b2core.clients", 7, 1, 0, 0), 8: TableCounts("b2core.phones", 8, 1, 0, 0)}


def test_W02_after_a_reset_all_tables_have_moved() -> None:
    """Counts that are as high as before are of other rows then."""
    then = SourceCounts(tables=TABLES, reset_at="yesterday")
    assert moved(then, SourceCounts(tables=TABLES, reset_at="yesterday")) == []
    now = SourceCounts(tables=TABLES, reset_at="today")
    assert moved(then, now) == ["b2core.clients", "b2core.phones"]

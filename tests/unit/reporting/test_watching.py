"""How runs begin by themselves, and how the watch stands, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contact_sync.base.watching import Watched, WatchState
from contact_sync.reporting.watching import schedule_in_words, watch_in_words
from tests.support.world import define

LOOKED = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)
BY_COUNTS = Watched(WatchState.COUNTS, None, None, LOOKED, None, [])
CLOCK = replace(BY_COUNTS, state=WatchState.NOTHING, why="not_counted")


@pytest.mark.parametrize(
    ("watched", "said"),
    [
        (None, "nobody has looked yet: is the DAG unpaused, and a triggerer alive?"),
        (BY_COUNTS, "by PostgreSQL's counts of rows written, as of 28 Nov 2026, 06:00:00 UTC"),
        (
            replace(BY_COUNTS, moved_at=LOOKED, tables=["b2core.clients", "b2core.phones"]),
            "the last change that began a run: 28 Nov 2026, 06:00:00 UTC, b2core.clients, b2",
        ),
        (replace(BY_COUNTS, moved_at=LOOKED), "28 Nov 2026, 06:00:00 UTC, a NOTIFY"),
        (CLOCK, "by nothing: runs come by the clock only (track_counts is off in B2CORE, for all"),
        (
            replace(BY_COUNTS, state=WatchState.FAILED, detail="B2CORE is away"),
            "by nothing for now, and it tries again (B2CORE is away)",
        ),
    ],
)
def test_the_watch_says_how_changes_are_noticed_and_why_by_no_more(
    watched: Watched | None, said: str
) -> None:
    """With the last look, and the last change that began a run."""
    assert said in watch_in_words(watched, LOOKED + timedelta(minutes=1))


def test_a_watch_that_looks_no_more_is_told() -> None:
    """Its last word isn't taken for how it is now."""
    said = watch_in_words(BY_COUNTS, LOOKED + timedelta(minutes=3))
    assert said.startswith("nobody has looked since 28 Nov 2026, 06:00:00 UTC: is the DAG unpaused")


def test_a_schedule_is_told_in_words() -> None:
    """A sync that sends nothing isn't watched."""
    how = {"at_least_every_minutes": 30}
    assert schedule_in_words(define(schedule="changes", on_changes=how), "UTC") == (
        "with changes in B2CORE, at most every 10 s, and at least every 30 minutes"
    )
    assert schedule_in_words(define(schedule="@hourly"), "Zulu") == "@hourly in Zulu"
    assert schedule_in_words(define(schedule=None), "UTC") == "none: runs are triggered"

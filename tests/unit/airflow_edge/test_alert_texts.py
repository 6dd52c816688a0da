"""What alerts say: the times in them have the form that all times have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from contact_sync.airflow_edge.alert_texts import _silence_in_words
from contact_sync.state.for_people.silence import Silence

ENDED = datetime(2026, 11, 26, 5, 19, 11, tzinfo=UTC)


def test_the_last_success_is_told_in_utc_whatever_zone_the_database_answers_in() -> None:
    """An hour that is called UTC and isn't would send people to the wrong run."""
    there = ENDED.astimezone(timezone(timedelta(hours=5)))
    said = _silence_in_words(Silence(last_success=there, hours=26.5, told_before=False))
    assert said == "The last successful run ended 26 Nov 2026, 05:19:11 UTC, 26.5 hours ago"


def test_a_sync_that_never_succeeded_is_told_from_one_that_never_began() -> None:
    """There is no time to name."""
    tried = _silence_in_words(Silence(last_success=None, hours=2.0, told_before=False))
    assert tried == "No run has ever succeeded; the first one began 2.0 hours ago"
    never = _silence_in_words(Silence(last_success=None, hours=None, told_before=False))
    assert never == "No run has ever begun"

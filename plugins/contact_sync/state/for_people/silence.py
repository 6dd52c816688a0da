"""Since when a sync has had no successful run; for alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contact_sync.postgres.cursor import one
from contact_sync.state import statements
from contact_sync.state.database import StateDatabase

SQL = statements.load("for_people/silence")


@dataclass(frozen=True, slots=True)
class Silence:
    """How long no run has succeeded: hours since the last one that did, or since the first that
    began; `last_success` is None when there never was one, `hours` when nothing was ever tried.

    `told_before`: a run that Airflow began earlier in the same span of N hours stands for it.
    """

    last_success: datetime | None
    hours: float | None
    told_before: bool


def silence(state: StateDatabase, name: str, queued_at: datetime, span_hours: float) -> Silence:
    """The silence of a sync, as the run that was queued at `queued_at` sees it. Dry runs count
    neither as a success nor as a try."""
    parameters = {"name": name, "queued_at": queued_at, "hours": span_hours}
    with state.transaction() as cursor:
        return Silence(**one(cursor, SQL["silence"], parameters))

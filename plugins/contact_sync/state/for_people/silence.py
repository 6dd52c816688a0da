"""Since when a sync has had no successful run; for alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contact_sync.postgres.cursor import one
from contact_sync.state.database import StateDatabase


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
    with state.transaction() as cursor:
        row = one(
            cursor,
            """WITH runs AS (
                   SELECT r.started_at, r.finished_at, r.state, r.holder
                   FROM contact_sync.run AS r JOIN contact_sync.sync AS s USING (sync_id)
                   WHERE s.name = %(name)s AND NOT r.dry_run
               ), since AS (
                   SELECT max(finished_at) FILTER (WHERE state = 'succeeded') AS success,
                          min(started_at) AS first_try
                   FROM runs
               ), span AS (
                   SELECT success, coalesce(success, first_try) AS base, floor(extract(epoch FROM
                       %(queued_at)s - coalesce(success, first_try)) / 3600 / %(hours)s) AS number
                   FROM since
               )
               SELECT success AS last_success,
                      extract(epoch FROM now() - base)::float / 3600 AS hours,
                      EXISTS (
                          SELECT FROM runs
                          WHERE holder LIKE 'DAG run %%' AND started_at < %(queued_at)s
                              AND started_at
                                  > base + number * %(hours)s * make_interval(hours => 1)
                      ) AS told_before
               FROM span""",
            {"name": name, "queued_at": queued_at, "hours": span_hours},
        )
    return Silence(**row)

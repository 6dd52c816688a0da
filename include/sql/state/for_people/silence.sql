-- state/for_people/silence.py; only reads.

-- silence --
-- Since when no run of a sync has succeeded; dry runs don't count. The time since then, or since the first run that was
-- tried, is cut into spans of so many hours: told_before = in the span of queued_at, Airflow began a run before.
WITH runs AS (
    SELECT
        r.started_at,
        r.finished_at,
        r.state,
        r.holder
    FROM contact_sync.run AS r
    INNER JOIN contact_sync.sync AS s ON r.sync_id = s.sync_id
    WHERE s.name = %(name)s AND NOT r.dry_run
),

since AS (
    SELECT
        max(finished_at) FILTER (WHERE state = 'succeeded') AS success,
        min(started_at) AS first_try
    FROM runs
),

span AS (
    SELECT
        success,
        coalesce(success, first_try) AS base,
        floor(
            extract(EPOCH FROM %(queued_at)s::timestamptz - coalesce(success, first_try)) / 3600 / %(hours)s
        ) AS number
    FROM since
)

SELECT
    span.success AS last_success,
    extract(EPOCH FROM now() - span.base)::float / 3600 AS hours,
    exists(
        SELECT 1 FROM runs
        WHERE
            runs.holder LIKE 'DAG run %%'
            AND runs.started_at < %(queued_at)s
            AND runs.started_at > span.base + span.number * %(hours)s * make_interval(hours => 1)
    ) AS told_before
FROM span;

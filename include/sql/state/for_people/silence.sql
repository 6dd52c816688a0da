-- state/for_people/silence.py; only reads.

-- silence --
-- Since when no run of a sync has succeeded; dry runs don't count. The time since then, or since the first run that was
-- tried, is cut into spans of so many hours: told_before = in the span of queued_at, Airflow began a run before.
-- Index: run_succeeded, run_by_start
WITH since AS (
    SELECT
        s.sync_id,
        (
            SELECT r.finished_at FROM contact_sync.run AS r
            WHERE r.sync_id = s.sync_id AND r.state = 'succeeded' AND NOT r.dry_run AND r.only_clients IS NULL
            ORDER BY r.run_id DESC
            LIMIT 1
        ) AS success,
        (
            SELECT min(r.started_at) FROM contact_sync.run AS r
            WHERE r.sync_id = s.sync_id AND NOT r.dry_run
        ) AS first_try
    FROM (
        SELECT
            (
                SELECT n.sync_id FROM contact_sync.sync AS n
                WHERE n.name = %(name)s
            ) AS sync_id
    ) AS s
),

span AS (
    SELECT
        sync_id,
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
        SELECT 1 FROM contact_sync.run AS r
        WHERE
            r.sync_id = span.sync_id
            AND NOT r.dry_run
            AND r.holder LIKE 'DAG run %%'
            AND r.started_at < %(queued_at)s
            AND r.started_at > span.base + span.number * %(hours)s * make_interval(hours => 1)
    ) AS told_before
FROM span;

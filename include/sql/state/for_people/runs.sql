-- state/for_people/runs.py; only reads.

-- newest_runs --
-- Of each sync. Index: run_by_sync
SELECT newest.run_id FROM contact_sync.sync AS s
CROSS JOIN
    LATERAL (
        SELECT r.run_id FROM contact_sync.run AS r
        WHERE r.sync_id = s.sync_id
        ORDER BY r.run_id DESC
        LIMIT %(at_most)s
    ) AS newest
WHERE s.name = any(%(names)s);

-- runs_of_holder --
-- holder: a pattern for LIKE. Index: run_by_holder
SELECT r.run_id FROM contact_sync.run AS r
INNER JOIN contact_sync.sync AS s ON r.sync_id = s.sync_id
WHERE s.name = %(sync)s AND r.holder LIKE %(holder)s
ORDER BY r.run_id DESC
LIMIT %(at_most)s;

-- run_of_sync --
SELECT r.run_id FROM contact_sync.run AS r
INNER JOIN contact_sync.sync AS s ON r.sync_id = s.sync_id
WHERE s.name = %(sync)s AND r.run_id = %(run_id)s;

-- runs --
-- Newest first. ended: runs that this one has ended.
-- Index: run primary key, run_ended_by
SELECT
    r.run_id AS id,
    r.sync_id,
    s.name AS sync,
    r.kind,
    r.kind_reason,
    r.kind_detail,
    r.unproven,
    r.dry_run,
    r.state,
    r.reason,
    r.plan,
    r.result,
    r.cause,
    r.approval,
    r.holder,
    r.retry_rejected,
    r.approve_removals,
    r.started_at,
    r.finished_at,
    r.snapshot,
    extract(EPOCH FROM coalesce(r.finished_at, now()) - r.started_at)::float AS seconds,
    s.lease_until > now() AND s.epoch = r.epoch AS holds_lease,
    r.report_gone_at,
    r.ended_by,
    r.ended_why,
    (
        SELECT jsonb_agg(jsonb_build_object('run_id', e.run_id, 'why', e.ended_why) ORDER BY e.run_id)
        FROM contact_sync.run AS e
        WHERE e.ended_by = r.run_id
    ) AS ended
FROM contact_sync.run AS r
INNER JOIN contact_sync.sync AS s ON r.sync_id = s.sync_id
WHERE r.run_id = any(%(run_ids)s)
ORDER BY r.run_id DESC;

-- later_runs --
-- Runs of the same sync since then that send: the newest, and the first that succeeded. Each is looked for from its
-- end, since an old run has tens of thousands after it. Index: run_by_sync, run_succeeded
WITH since AS (
    SELECT
        (
            SELECT n.run_id FROM contact_sync.run AS n
            WHERE n.sync_id = %(sync_id)s AND n.run_id > %(run_id)s AND NOT n.dry_run AND n.only_clients IS NULL
            ORDER BY n.run_id DESC
            LIMIT 1
        ) AS newest,
        (
            SELECT n.run_id FROM contact_sync.run AS n
            WHERE
                n.sync_id = %(sync_id)s AND n.run_id > %(run_id)s AND NOT n.dry_run AND n.only_clients IS NULL
                AND n.state = 'succeeded'
            ORDER BY n.run_id ASC
            LIMIT 1
        ) AS first_good
)

SELECT
    r.run_id,
    r.holder,
    r.state,
    r.finished_at,
    r.started_at,
    r.approve_removals
FROM since
INNER JOIN contact_sync.run AS r ON r.run_id IN (since.newest, since.first_good)
ORDER BY r.run_id;

-- run_at --
-- The run that was at work on a sync at a moment. Index: run_by_start
SELECT r.run_id FROM contact_sync.run AS r
INNER JOIN contact_sync.sync AS s ON r.sync_id = s.sync_id
WHERE
    s.name = %(sync)s AND NOT r.dry_run AND r.started_at <= %(at)s
    AND coalesce(r.finished_at, now()) >= %(at)s
ORDER BY r.run_id DESC
LIMIT 1;

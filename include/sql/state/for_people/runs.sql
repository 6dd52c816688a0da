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

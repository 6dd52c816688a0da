-- Purpose:    where one client waits to be sent: staged by a run, in a batch or not yet in one
-- Parameters: sync_id, client_id
-- Columns:    run_id, run_state; of the open batch, null where there is none yet: batch_id, lane, batch_state, job_id,
--             job_status, counts, outcome, submitted_at, settled_at
-- Index:      run_by_sync, outbox primary key, batch_by_run; only the newest 20 runs can have anything staged
SELECT
    r.run_id,
    r.state AS run_state,
    b.batch_id,
    b.lane,
    b.state AS batch_state,
    b.job_id,
    b.job_status,
    b.counts,
    b.outcome,
    b.submitted_at,
    b.settled_at
FROM (
    SELECT
        run_id,
        state
    FROM contact_sync.run
    WHERE sync_id = %(sync_id)s
    ORDER BY run_id DESC
    LIMIT 20
) AS r
INNER JOIN contact_sync.outbox AS o ON r.run_id = o.run_id AND o.client_id = %(client_id)s
LEFT JOIN contact_sync.batch AS b
    ON
        r.run_id = b.run_id
        AND o.client_id BETWEEN b.first_id AND b.last_id
        AND (b.json_only IS NULL OR o.json_only = b.json_only)
        AND b.is_open
ORDER BY r.run_id ASC

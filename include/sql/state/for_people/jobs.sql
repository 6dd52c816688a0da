-- state/for_people/jobs.py; only reads.

-- jobs_of_run --
-- A run's batches as they are now; at_most: null = all. No address, no URL. Index: batch_by_run
SELECT
    batch_id,
    root_id,
    lane,
    contacts AS rows,
    state,
    job_id,
    job_status AS status,
    outcome,
    numbers,
    submitted_at,
    extract(EPOCH FROM coalesce(settled_at, now()) - submitted_at)::float AS seconds
FROM contact_sync.batch
WHERE run_id = %(run_id)s
ORDER BY batch_id
LIMIT %(at_most)s;

-- job_sums --
SELECT
    lane,
    state,
    job_status AS status,
    count(*) AS jobs,
    sum(contacts)::bigint AS rows
FROM contact_sync.batch
WHERE run_id = %(run_id)s
GROUP BY lane, state, job_status
ORDER BY lane, state, job_status;

-- slice_progress --
SELECT
    count(*) AS slices,
    count(counts) AS done,
    coalesce(sum(clients), 0)::bigint AS clients,
    coalesce(sum(clients) FILTER (WHERE counts IS NOT NULL), 0)::bigint AS read
FROM contact_sync.slice
WHERE run_id = %(run_id)s;

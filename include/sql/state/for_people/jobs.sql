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
    asked_at,
    is_open,
    extract(EPOCH FROM coalesce(settled_at, now()) - submitted_at)::float AS seconds
FROM contact_sync.batch
WHERE run_id = %(run_id)s
ORDER BY batch_id
LIMIT %(at_most)s;

-- job_sums --
-- The batches of runs, added up. Columns: those of the class JobSum, and run_id. Index: batch_by_run
SELECT
    run_id,
    lane,
    state,
    job_status AS status,
    outcome,
    root_id IS NULL AS planned,
    count(*) AS jobs,
    sum(contacts)::bigint AS rows,
    sum(refused)::bigint AS refused,
    sum(excluded)::bigint AS excluded,
    coalesce(sum((numbers ->> 'confirmed')::int), 0)::bigint AS confirmed,
    coalesce(sum((numbers ->> 'rejected')::int), 0)::bigint AS rejected,
    coalesce(sum((numbers ->> 'removed')::int), 0)::bigint AS removed,
    coalesce(sum((counts ->> 'created')::int), 0)::bigint AS created,
    coalesce(sum((counts ->> 'updated')::int), 0)::bigint AS updated,
    coalesce(sum((counts ->> 'errored')::int), 0)::bigint AS errored
FROM contact_sync.batch
WHERE run_id = any(%(run_ids)s)
GROUP BY run_id, lane, state, job_status, outcome, root_id IS NULL
ORDER BY run_id, lane, state, job_status;

-- slice_progress --
SELECT
    count(*) AS slices,
    count(counts) AS done,
    coalesce(sum(clients), 0)::bigint AS clients,
    coalesce(sum(clients) FILTER (WHERE counts IS NOT NULL), 0)::bigint AS read
FROM contact_sync.slice
WHERE run_id = %(run_id)s;

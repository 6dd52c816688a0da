-- state/for_people/overview.py; only reads.

-- overview --
-- Of each sync the runs that say how it stands, by their ids: the one at work, the newest one that has ended, and the
-- newest one that succeeded; dry runs and runs of chosen clients only say nothing of it. first_try: when the first one
-- began.
-- Index: run_running, run_by_sync, run_succeeded, run_by_start
SELECT
    s.name,
    (
        SELECT max(r.run_id) FROM contact_sync.run AS r
        WHERE r.sync_id = s.sync_id AND r.state = 'running' AND NOT r.dry_run
    ) AS at_work,
    (
        SELECT r.run_id FROM contact_sync.run AS r
        WHERE
            r.sync_id = s.sync_id AND r.state IN ('succeeded', 'failed') AND NOT r.dry_run AND r.only_clients IS NULL
        ORDER BY r.run_id DESC
        LIMIT 1
    ) AS ended,
    (
        SELECT r.run_id FROM contact_sync.run AS r
        WHERE r.sync_id = s.sync_id AND r.state = 'succeeded' AND NOT r.dry_run AND r.only_clients IS NULL
        ORDER BY r.run_id DESC
        LIMIT 1
    ) AS succeeded,
    (
        SELECT min(r.started_at) FROM contact_sync.run AS r
        WHERE r.sync_id = s.sync_id AND NOT r.dry_run
    ) AS first_try
FROM contact_sync.sync AS s
WHERE s.name = any(%(names)s);

-- past_runs --
-- The newest ended runs of each sync, newest first, without dry runs: what each has sent, and how many clients it found
-- rejected. counted: false = it noted no sum at its end, so its batches have to be added up. Index: run_by_sync
SELECT
    s.name,
    p.run_id,
    p.state,
    coalesce(p.sending ? 'confirmed', FALSE) AS counted,
    coalesce((p.sending ->> 'confirmed')::bigint, 0) AS sent,
    coalesce((p.sending ->> 'rejected')::bigint, 0) + coalesce((p.counts ->> 'rejected')::bigint, 0) AS rejected
FROM contact_sync.sync AS s
CROSS JOIN
    LATERAL (
        SELECT
            r.run_id,
            r.state,
            r.result -> 'sending' AS sending,
            r.plan -> 'counts' AS counts
        FROM contact_sync.run AS r
        WHERE r.sync_id = s.sync_id AND r.state <> 'running' AND NOT r.dry_run
        ORDER BY r.run_id DESC
        LIMIT %(at_most)s
    ) AS p
WHERE s.name = any(%(names)s)
ORDER BY s.name ASC, p.run_id DESC;

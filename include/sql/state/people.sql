-- What people are shown: pages, look-ups, alerts (state/for_people/). Everything here only reads.

-- one_moment --
-- The whole transaction sees the same; has to come first. (sqlfluff doesn't know SET TRANSACTION.)
SET LOCAL transaction_isolation = 'repeatable read';

-- read_only --
SET LOCAL transaction_read_only = TRUE;

-- give_up_after --
-- seconds: as text, with the unit. Of each statement, until the end of the transaction.
SELECT set_config('statement_timeout', %(seconds)s, TRUE);

-- sync_rows --
-- destination: of the last finished run, else of the newest one that has one.
SELECT
    s.name,
    s.sync_id,
    s.fields,
    now() AS now,
    (s.watermark ->> 'read_at')::timestamptz AS read_at,
    CASE WHEN s.lease_until > now() THEN s.lease_holder END AS holder,
    coalesce(
        s.destination,
        (
            SELECT r.destination FROM contact_sync.run AS r
            WHERE r.sync_id = s.sync_id AND r.destination IS NOT NULL
            ORDER BY r.run_id DESC
            LIMIT 1
        )
    ) AS destination
FROM contact_sync.sync AS s
WHERE s.name = any(%(names)s);

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
-- Newest first. sent: contacts whose jobs SendGrid has carried out.
SELECT
    r.run_id AS id,
    r.sync_id,
    s.name AS sync,
    r.kind,
    r.kind_reason,
    r.kind_detail,
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
    (
        SELECT coalesce(sum(b.contacts), 0)::bigint FROM contact_sync.batch AS b
        WHERE
            b.run_id = r.run_id
            AND b.lane IN ('json', 'csv')
            AND b.state = 'settled'
            AND b.job_status IN ('completed', 'errored')
    ) AS sent
FROM contact_sync.run AS r
INNER JOIN contact_sync.sync AS s ON r.sync_id = s.sync_id
WHERE r.run_id = any(%(run_ids)s)
ORDER BY r.run_id DESC;

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

-- count_reasons --
-- Index: ledger_rejected_reasons
SELECT
    field,
    reason,
    detail,
    count(*) AS n
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND state = 'rejected'
GROUP BY field, reason, detail
ORDER BY n DESC, field ASC, reason ASC, detail ASC
LIMIT %(at_most)s;

-- rejected_clients --
-- From the id after `after`; field, reason, reasons, detail, since_before: null = any; at_most: null = all. The planner
-- knows the values, drops the conditions that don't apply, and chooses the index.
-- Index: ledger_rejected_reasons, else ledger_unconfirmed
SELECT
    client_id,
    field,
    reason,
    detail,
    tries,
    rejected_since AS first_seen,
    updated_at AS last_seen,
    email
FROM contact_sync.ledger
WHERE
    sync_id = %(sync_id)s
    AND state = 'rejected'
    AND client_id > %(after)s
    AND (%(field)s::text IS NULL OR field = %(field)s)
    AND (%(reason)s::text IS NULL OR reason = %(reason)s)
    AND (%(reasons)s::text[] IS NULL OR reason = any(%(reasons)s))
    AND (%(detail)s::text IS NULL OR detail = %(detail)s)
    AND (%(since_before)s::timestamptz IS NULL OR rejected_since < %(since_before)s)
ORDER BY client_id
LIMIT %(at_most)s;

-- client --
-- Its ledger row, and the batch that it was sent with last: batch_id is null where none is known.
-- Index: ledger and batch primary keys
SELECT
    l.state,
    l.email,
    l.email_hash,
    l.contact_hash,
    l.row_hash,
    l.filled,
    l.stale,
    l.field,
    l.reason,
    l.detail,
    l.tries,
    l.rejected_since,
    l.absent,
    l.updated_at,
    b.batch_id,
    b.run_id,
    b.lane,
    b.state AS batch_state,
    b.job_id,
    b.job_status,
    b.counts,
    b.outcome,
    b.numbers,
    b.submitted_at,
    b.settled_at
FROM contact_sync.ledger AS l
LEFT JOIN contact_sync.batch AS b ON l.batch_id = b.batch_id
WHERE l.sync_id = %(sync_id)s AND l.client_id = %(client_id)s;

-- staged --
-- Where one client waits to be sent, oldest run first; the open batch's columns are null where there is none yet. Only
-- the newest 20 runs can have anything staged. Index: run_by_sync, outbox primary key, batch_by_run
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
    b.numbers,
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
ORDER BY r.run_id ASC;

-- noted_removals --
-- Of one client or of its addresses, newest first; email is '#…' where the address is forgotten.
-- Index: none, one scan of removal
SELECT
    a.why,
    a.email,
    a.email_hash,
    a.kept,
    a.list_id,
    a.client_id,
    a.noted_at,
    b.batch_id,
    b.outcome,
    b.numbers
FROM contact_sync.removal AS a
LEFT JOIN contact_sync.batch AS b ON a.batch_id = b.batch_id
WHERE
    a.sync_id = %(sync_id)s
    AND (a.client_id = %(client_id)s OR a.email_hash IN (%(email_hash)s, %(contact_hash)s))
ORDER BY a.noted_at DESC
LIMIT 20;

-- clients_of_address --
-- Index: none, one scan of the ledger; an index on the hashes would slow every first load
SELECT
    client_id,
    state,
    coalesce(contact_hash = %(email_hash)s, FALSE) AS has_contact
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND (email_hash = %(email_hash)s OR contact_hash = %(email_hash)s)
ORDER BY client_id
LIMIT %(at_most)s;

-- stale_clients --
-- fields: the names of those whose bits are set. Index: ledger_stale
SELECT
    l.client_id,
    array_agg(f.name ORDER BY f.position) AS fields
FROM contact_sync.ledger AS l
INNER JOIN contact_sync.sync AS s ON l.sync_id = s.sync_id
CROSS JOIN LATERAL unnest(s.fields) WITH ORDINALITY AS f (name, position)
WHERE l.sync_id = %(sync_id)s AND l.stale <> 0 AND (l.stale >> (f.position - 1)::int) & 1 = 1
GROUP BY l.client_id
ORDER BY l.client_id
LIMIT %(at_most)s;

-- count_dropped_reasons --
-- Index: dropped_value_reasons
SELECT
    field,
    reason,
    count(*) AS n
FROM contact_sync.dropped_value
WHERE sync_id = %(sync_id)s
GROUP BY field, reason
ORDER BY n DESC, field ASC, reason ASC
LIMIT %(at_most)s;

-- dropped_values --
-- From the one that comes after client `after` and its field `after_field`; field, reason: null = any; at_most: null =
-- all. The planner knows the values, drops the conditions that don't apply, and chooses the index.
-- Index: dropped_value_reasons, else dropped_value primary key
SELECT
    client_id,
    field,
    reason,
    since
FROM contact_sync.dropped_value
WHERE
    sync_id = %(sync_id)s
    AND (client_id, field) > (%(after)s, %(after_field)s)
    AND (%(field)s::text IS NULL OR field = %(field)s)
    AND (%(reason)s::text IS NULL OR reason = %(reason)s)
ORDER BY client_id, field
LIMIT %(at_most)s;

-- dropped_of_client --
-- Index: dropped_value primary key
SELECT
    client_id,
    field,
    reason,
    since
FROM contact_sync.dropped_value
WHERE sync_id = %(sync_id)s AND client_id = %(client_id)s;

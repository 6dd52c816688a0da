-- Verifications: their lives, and what they found (state/verifications.py).

-- begin --
INSERT INTO contact_sync.verification (
    sync_id, holder, reason, definition_hash, destination, export_id, rebuilds
)
VALUES (
    %(sync_id)s, %(holder)s, %(reason)s, %(definition_hash)s, %(destination)s, %(export_id)s, %(rebuilds)s
)
RETURNING verification_id;

-- verification --
SELECT
    v.verification_id,
    v.sync_id,
    v.state,
    v.attempt,
    v.holder,
    v.reason,
    v.definition_hash,
    v.destination,
    v.export_id,
    v.list_export_id,
    v.export_status,
    v.export_hash,
    v.snapshot,
    v.compared_at,
    v.counts,
    v.fields,
    v.sendgrid_digest,
    v.b2core_digest,
    v.cause,
    v.started_at,
    v.ordered_at,
    v.read_at,
    v.finished_at,
    v.rebuilds,
    v.rebuilt,
    s.name AS sync_name,
    extract(EPOCH FROM now() - v.started_at)::float / 3600 AS age_hours
FROM contact_sync.verification AS v
INNER JOIN contact_sync.sync AS s ON v.sync_id = s.sync_id
WHERE v.verification_id = %(verification_id)s;

-- lock_sync --
-- So that two don't begin at once. Index: sync primary key
SELECT sync_id FROM contact_sync.sync
WHERE sync_id = %(sync_id)s
FOR NO KEY UPDATE;

-- running --
-- Index: verification_running
SELECT verification_id FROM contact_sync.verification
WHERE sync_id = %(sync_id)s AND state = 'running';

-- dead --
-- Those that no step works for any more. Parameters: sync_id, null = of all; seconds. Index: verification_running
SELECT verification_id FROM contact_sync.verification
WHERE
    (%(sync_id)s::smallint IS NULL OR sync_id = %(sync_id)s)
    AND state = 'running'
    AND started_at < now() - make_interval(secs => %(seconds)s)
ORDER BY verification_id;

-- newest --
-- The newest one that is over; of those that succeeded only, if only_succeeded. Index: verification_by_sync
SELECT verification_id FROM contact_sync.verification
WHERE
    sync_id = %(sync_id)s
    AND (state = 'succeeded' OR (NOT %(only_succeeded)s AND state = 'failed'))
ORDER BY verification_id DESC
LIMIT 1;

-- take_over --
UPDATE contact_sync.verification SET
    attempt = attempt + 1,
    holder = %(holder)s
WHERE verification_id = %(verification_id)s AND state = 'running';

-- fence --
-- Whoever works for it still does; it stays locked until the transaction ends.
SELECT 1 FROM contact_sync.verification
WHERE verification_id = %(verification_id)s AND attempt = %(attempt)s AND state = 'running'
FOR NO KEY UPDATE;

-- save_order --
UPDATE contact_sync.verification SET
    export_id = %(export_id)s,
    list_export_id = %(list_export_id)s,
    export_status = 'pending',
    ordered_at = now()
WHERE verification_id = %(verification_id)s;

-- save_status --
UPDATE contact_sync.verification SET export_status = %(status)s
WHERE verification_id = %(verification_id)s;

-- save_counts --
UPDATE contact_sync.verification AS v SET
    counts = coalesce(v.counts, '{}') || %(counts)s,
    fields = coalesce((
        SELECT jsonb_object_agg(n.field, n.n)
        FROM (
            SELECT
                u.field,
                count(*) AS n
            FROM contact_sync.finding AS f
            CROSS JOIN unnest(f.fields) AS u (field)
            WHERE f.verification_id = %(verification_id)s AND f.verdict IN ('different', 'off_list')
            GROUP BY u.field
        ) AS n
    ), '{}')
WHERE v.verification_id = %(verification_id)s;

-- finish --
UPDATE contact_sync.verification SET
    state = %(state)s,
    cause = %(cause)s,
    finished_at = now()
WHERE verification_id = %(verification_id)s;

-- drop_older_findings --
-- Those of the sync's earlier verifications: the new ones stand for them.
DELETE FROM contact_sync.finding AS f
USING contact_sync.verification AS v
WHERE
    v.sync_id = %(sync_id)s
    AND v.verification_id < %(verification_id)s
    AND v.state <> 'running'
    AND f.verification_id = v.verification_id;

-- drop_findings --
DELETE FROM contact_sync.finding
WHERE verification_id = %(verification_id)s;

-- findings --
-- Parameters: verdicts = codes; after = the last finding_no; at_most. Index: finding and client_key primary keys
SELECT
    f.finding_no,
    f.verdict,
    f.client_id,
    k.client_key,
    f.email,
    f.email_hash,
    f.fields,
    f.on_list,
    f.updated_at,
    f.looked_at,
    f.repaired
FROM contact_sync.finding AS f
INNER JOIN contact_sync.verification AS v ON f.verification_id = v.verification_id
LEFT JOIN contact_sync.client_key AS k ON v.sync_id = k.sync_id AND f.client_id = k.client_id
WHERE
    f.verification_id = %(verification_id)s
    AND f.verdict = any(%(verdicts)s)
    AND f.finding_no > %(after)s
ORDER BY f.finding_no
LIMIT %(at_most)s;

-- count_findings --
-- Index: finding_by_verdict
SELECT
    verdict,
    count(*) AS n
FROM contact_sync.finding
WHERE verification_id = %(verification_id)s
GROUP BY verdict;

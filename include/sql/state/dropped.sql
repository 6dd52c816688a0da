-- Values that SendGrid lacks, or has cut or rounded, because they don't fit (state/dropped.py).

-- create_found --
-- Room for those that a slice's clients have now.
CREATE TEMPORARY TABLE found (
    client_id bigint,
    field text,
    reason text
) ON COMMIT DROP;

-- clients_of_range --
-- Index: dropped_value primary key
SELECT coalesce(array_agg(DISTINCT client_id), '{}') AS client_ids
FROM contact_sync.dropped_value
WHERE sync_id = %(sync_id)s AND client_id BETWEEN %(first_id)s AND %(last_id)s;

-- forget_mended --
-- What these clients don't have any more, or have for another reason. Others between them were not read.
-- Index: dropped_value primary key
DELETE FROM contact_sync.dropped_value AS d
WHERE
    d.sync_id = %(sync_id)s
    AND d.client_id = any(%(client_ids)s::bigint[])
    AND NOT EXISTS (
        SELECT 1 FROM pg_temp.found AS f
        WHERE f.client_id = d.client_id AND f.field = d.field AND f.reason = d.reason
    );

-- note_found --
-- What is new; the others stay as they are, and aren't even locked. Runs after forget_mended, in the same transaction.
-- Index: dropped_value primary key
INSERT INTO contact_sync.dropped_value (sync_id, client_id, field, reason, since)
SELECT
    %(sync_id)s,
    f.client_id,
    f.field,
    f.reason,
    now()
FROM pg_temp.found AS f
ON CONFLICT (sync_id, client_id, field) DO NOTHING;

-- forget_rejected --
-- Nothing of a rejected client is sent: SendGrid refused it after it had been staged.
-- Index: ledger_rejected_reasons, dropped_value primary key
DELETE FROM contact_sync.dropped_value AS d
USING contact_sync.ledger AS l
WHERE
    l.sync_id = %(sync_id)s
    AND l.state = 'rejected'
    AND d.sync_id = l.sync_id
    AND d.client_id = l.client_id;

-- forget_unknown --
-- Clients that vanished between being staged and being sent for the first time.
-- Index: dropped_value and ledger primary keys
DELETE FROM contact_sync.dropped_value AS d
WHERE
    d.sync_id = %(sync_id)s
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.ledger AS l
        WHERE l.sync_id = d.sync_id AND l.client_id = d.client_id
    );

-- count_dropped --
-- new: noted since the last run before this one that succeeded.
-- Index: dropped_value primary key; run_by_sync
SELECT
    field,
    reason,
    count(*) AS n,
    count(*) FILTER (
        WHERE since > coalesce(
            (
                SELECT r.finished_at FROM contact_sync.run AS r
                WHERE
                    r.sync_id = %(sync_id)s
                    AND r.run_id < %(run_id)s
                    AND r.state = 'succeeded'
                    AND NOT r.dry_run
                ORDER BY r.run_id DESC
                LIMIT 1
            ),
            '-infinity'
        )
    ) AS new
FROM contact_sync.dropped_value
WHERE sync_id = %(sync_id)s
GROUP BY field, reason
ORDER BY n DESC, field ASC, reason ASC;

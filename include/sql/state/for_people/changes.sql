-- state/for_people/changes.py; only reads.

-- changes --
-- A run's changes from the row after `after_id`, `after_kind`, `after_field`; kind, bit, name, reason, state,
-- client_ids: null = any. bit and name are those of a field: what changes in it, or is rejected or dropped for it.
-- Of a run that hasn't ended, the batch is the one that the ledger names, if it is this run's.
-- Index: change, ledger, batch and client_key primary keys
SELECT
    c.client_id,
    k.client_key,
    c.kind,
    c.field,
    c.reason,
    c.detail,
    c.fields,
    c.before_after AS sealed,
    b.batch_id,
    b.lane,
    b.job_id,
    b.job_status,
    b.outcome,
    b.numbers,
    coalesce(c.state, CASE WHEN b.batch_id IS NOT NULL AND l.state <> 'shared' THEN l.state END) AS state
FROM contact_sync.change AS c
LEFT JOIN contact_sync.ledger AS l ON c.sync_id = l.sync_id AND c.client_id = l.client_id
LEFT JOIN contact_sync.batch AS b
    ON c.run_id = b.run_id AND b.batch_id = coalesce(c.batch_id, CASE WHEN c.state IS NULL THEN l.batch_id END)
LEFT JOIN contact_sync.client_key AS k ON c.sync_id = k.sync_id AND c.client_id = k.client_id
WHERE
    c.run_id = %(run_id)s
    AND (
        %(after_id)s::bigint IS NULL
        OR (c.kind, c.client_id, c.field) > (%(after_kind)s::text, %(after_id)s::bigint, %(after_field)s::text)
    )
    AND (%(kind)s::text IS NULL OR c.kind = %(kind)s)
    AND (%(name)s::text IS NULL OR c.field = %(name)s OR (c.fields >> %(bit)s::int) & 1 = 1)
    AND (%(reason)s::text IS NULL OR c.reason = %(reason)s)
    AND (%(state)s::text IS NULL OR c.state = %(state)s)
    AND (%(client_ids)s::bigint[] IS NULL OR c.client_id = any(%(client_ids)s::bigint[]))
ORDER BY c.kind, c.client_id, c.field
LIMIT %(at_most)s;

-- count_kinds --
-- How many rows there are of each kind and reason. Index: change primary key
SELECT
    kind,
    reason,
    count(*) AS n
FROM contact_sync.change
WHERE run_id = %(run_id)s
GROUP BY kind, reason
ORDER BY n DESC, kind ASC, reason ASC;

-- samples --
-- The first rows of each kind; of changed clients those whose fields are known. Parameters: kinds
-- Index: change primary key
SELECT
    k.kind,
    c.client_id
FROM unnest(%(kinds)s::text[]) AS k (kind)
CROSS JOIN
    LATERAL (
        SELECT n.client_id
        FROM contact_sync.change AS n
        WHERE n.run_id = %(run_id)s AND n.kind = k.kind AND (k.kind <> 'changed' OR n.fields IS NOT NULL)
        ORDER BY n.client_id
        LIMIT %(at_most)s
    ) AS c;

-- staged --
-- What is staged of clients. Index: outbox primary key
SELECT
    client_id,
    email,
    payload,
    clears
FROM contact_sync.outbox
WHERE run_id = %(run_id)s AND client_id = any(%(client_ids)s::bigint[]);

-- destination --
SELECT destination FROM contact_sync.run
WHERE run_id = %(run_id)s;

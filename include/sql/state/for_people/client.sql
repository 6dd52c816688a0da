-- state/for_people/client.py; only reads.

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
    SELECT run_id
    FROM contact_sync.run
    WHERE sync_id = %(sync_id)s
    ORDER BY run_id DESC
    LIMIT 20
) AS r
CROSS JOIN
    LATERAL (
        SELECT
            c.client_id,
            c.json_only
        FROM contact_sync.outbox AS c
        WHERE c.run_id = r.run_id AND c.client_id = %(client_id)s
        UNION ALL
        SELECT
            %(client_id)s,
            FALSE
        FROM contact_sync.outbox_block AS k
        WHERE
            k.run_id = r.run_id
            AND %(client_id)s BETWEEN k.first_id AND k.last_id
            AND %(client_id)s = any(k.client_ids)
    ) AS o
LEFT JOIN contact_sync.batch AS b
    ON
        r.run_id = b.run_id
        AND o.client_id BETWEEN b.first_id AND b.last_id
        AND (b.json_only IS NULL OR o.json_only = b.json_only)
        AND b.is_open
ORDER BY r.run_id ASC;

-- noted_removals --
-- Of one client or of its addresses, newest first; email is null where the address is forgotten: '#…' is stored.
-- Index: none, one scan of removal
SELECT
    a.why,
    a.client_id,
    a.list_id,
    a.noted_at,
    a.kept,
    b.outcome,
    b.numbers,
    CASE WHEN left(a.email, 1) <> '#' THEN a.email END AS email
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
    k.client_key,
    array_agg(f.name ORDER BY f.position) AS fields
FROM contact_sync.ledger AS l
LEFT JOIN contact_sync.client_key AS k ON l.sync_id = k.sync_id AND l.client_id = k.client_id
INNER JOIN contact_sync.sync AS s ON l.sync_id = s.sync_id
CROSS JOIN LATERAL unnest(s.fields) WITH ORDINALITY AS f (name, position)
WHERE l.sync_id = %(sync_id)s AND l.stale <> 0 AND (l.stale >> (f.position - 1)::int) & 1 = 1
GROUP BY l.client_id, k.client_key
ORDER BY l.client_id
LIMIT %(at_most)s;

-- keys_of --
-- Index: client_key primary key
SELECT
    client_id,
    client_key
FROM contact_sync.client_key
WHERE sync_id = %(sync_id)s AND client_id = any(%(client_ids)s::bigint[]);

-- clients_of_key --
-- Index: client_key_by_key
SELECT client_id
FROM contact_sync.client_key
WHERE sync_id = %(sync_id)s AND client_key = any(%(spellings)s::text[])
ORDER BY client_id
LIMIT %(at_most)s;

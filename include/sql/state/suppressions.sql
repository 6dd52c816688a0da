-- Staged clients whose address has changed, and what is known of the former one (state/suppressions.py).

-- moved_clients --
-- Clients of a run that get another address than the one they had. email: the address of its contact, null if it has
-- none; email_hash: of its last address. Index: outbox and ledger primary keys
SELECT
    o.client_id,
    l.email,
    l.email_hash
FROM contact_sync.outbox AS o
INNER JOIN contact_sync.ledger AS l
    ON l.sync_id = %(sync_id)s AND o.client_id = l.client_id
WHERE
    o.run_id = %(run_id)s
    AND coalesce(l.contact_hash, l.email_hash) <> o.email_hash
ORDER BY o.client_id;

-- addresses_of_hashes --
-- The addresses of contacts, and of those that were never sent because SendGrid suppresses them, by hash.
-- Index: none, one scan of the ledger, and of what is suppressed
SELECT
    contact_hash,
    min(email) AS email
FROM (
    SELECT
        l.contact_hash,
        l.email
    FROM contact_sync.ledger AS l
    WHERE l.sync_id = %(sync_id)s AND l.contact_hash = any(%(contact_hashes)s)
    UNION ALL
    SELECT
        s.email_hash,
        s.email
    FROM contact_sync.suppression AS s
    WHERE s.sync_id = %(sync_id)s AND s.gone_at IS NULL AND s.email_hash = any(%(contact_hashes)s)
) AS known
GROUP BY contact_hash;

-- unmark --
-- Nobody's address is to be suppressed. Index: outbox_suppress
UPDATE contact_sync.outbox SET
    suppress = FALSE,
    suppress_groups = NULL
WHERE run_id = %(run_id)s AND suppress;

-- mark --
-- The addresses of these clients are suppressed before they are uploaded, each in some groups.
-- Parameters: client_ids and group_ids, pairs; 0 = everywhere. Index: outbox primary key
UPDATE contact_sync.outbox AS o SET
    suppress = TRUE,
    suppress_groups = m.groups
FROM (
    SELECT
        pair.client_id,
        array_agg(pair.group_id) AS groups
    FROM unnest(%(client_ids)s::bigint[], %(group_ids)s::integer[]) AS pair (client_id, group_id)
    GROUP BY pair.client_id
) AS m
WHERE o.run_id = %(run_id)s AND o.client_id = m.client_id;

-- hold --
-- Take clients out of the outbox, except from a batch that has left: they become pending, the next run looks again.
WITH held AS (
    DELETE FROM contact_sync.outbox AS o
    WHERE
        o.run_id = %(run_id)s
        AND o.client_id = any(%(client_ids)s)
        AND NOT EXISTS (
            SELECT 1
            FROM contact_sync.batch_contact AS c
            INNER JOIN contact_sync.batch AS b ON c.batch_id = b.batch_id
            WHERE
                b.run_id = o.run_id
                AND c.client_id = o.client_id
                AND b.state IN ('submitting', 'uploading', 'submitted')
        )
    RETURNING o.client_id
)

UPDATE contact_sync.ledger AS l SET
    state = 'pending',
    reason = %(reason)s,
    detail = NULL,
    field = NULL,
    row_hash = NULL,
    updated_at = now()
FROM held
WHERE l.sync_id = %(sync_id)s AND l.client_id = held.client_id;

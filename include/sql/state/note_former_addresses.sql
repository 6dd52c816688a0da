-- Purpose:    remember the former address of each client of a batch whose contact has moved
-- Parameters: as confirm_batch.sql; runs before it, in the same transaction
-- Index:      outbox and ledger primary keys
INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id)
SELECT
    l.sync_id,
    l.email,
    l.contact_hash,
    l.client_id
FROM contact_sync.outbox AS o
INNER JOIN contact_sync.ledger AS l
    ON l.sync_id = %(sync_id)s AND o.client_id = l.client_id
WHERE
    o.run_id = %(run_id)s
    AND o.client_id BETWEEN %(first_id)s AND %(last_id)s
    AND (%(json_only)s::boolean IS NULL OR o.json_only = %(json_only)s)
    AND l.client_id BETWEEN %(first_id)s AND %(last_id)s
    AND l.contact_hash <> o.email_hash
    AND NOT EXISTS (
        SELECT 1 FROM pg_temp.refused AS r
        WHERE r.email = o.email
    )
ON CONFLICT (sync_id, email, list_id) DO NOTHING

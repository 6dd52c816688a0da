-- Purpose:    remember the former address of each client of a batch whose contact has moved
-- Parameters: batch_id; runs before confirm_batch.sql, in the same transaction
-- Index:      outbox and ledger primary keys
INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id)
SELECT
    o.sync_id,
    l.email,
    l.contact_hash,
    l.client_id
FROM contact_sync.batch_contact AS o
INNER JOIN contact_sync.ledger AS l
    ON o.sync_id = l.sync_id AND o.client_id = l.client_id
WHERE
    o.batch_id = %(batch_id)s
    AND l.contact_hash <> o.email_hash
    AND NOT EXISTS (
        SELECT 1 FROM pg_temp.refused AS r
        WHERE r.email = o.email
    )
ON CONFLICT (sync_id, email, list_id) DO NOTHING

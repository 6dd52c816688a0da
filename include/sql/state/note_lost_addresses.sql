-- Purpose:    another client represents this one's address: remember the contact that it filled. If that is
--             the shared one, the other client clears what it doesn't fill itself, however often it tries;
--             if it is a former one, it is removed
-- Parameters: sync_id; temporary table fate; runs before merge_fates.sql, in the same transaction
-- Index:      ledger primary key
INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id)
SELECT
    l.sync_id,
    l.email,
    l.contact_hash,
    l.client_id
FROM pg_temp.fate AS f
INNER JOIN contact_sync.ledger AS l
    ON l.sync_id = %(sync_id)s AND f.client_id = l.client_id
WHERE
    f.reason = 'shared_address'
    AND l.email IS NOT NULL
ON CONFLICT (sync_id, email, list_id) DO NOTHING

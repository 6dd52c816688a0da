-- Purpose:    contacts that are noted for removal, of one client or of its addresses
-- Parameters: sync_id, client_id, email_hash, contact_hash of its addresses
-- Columns:    why, email ('#…' where the address is forgotten), email_hash, kept, list_id,
--             client_id, noted_at, batch_id, outcome
-- Index:      none, one scan of removal
SELECT
    a.why,
    a.email,
    a.email_hash,
    a.kept,
    a.list_id,
    a.client_id,
    a.noted_at,
    b.batch_id,
    b.outcome
FROM contact_sync.removal AS a
LEFT JOIN contact_sync.batch AS b ON a.batch_id = b.batch_id
WHERE
    a.sync_id = %(sync_id)s
    AND (a.client_id = %(client_id)s OR a.email_hash IN (%(email_hash)s, %(contact_hash)s))
ORDER BY a.noted_at DESC
LIMIT 20

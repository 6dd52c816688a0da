-- Purpose:    the sync has another list than before: every contact of a client is to be taken off the former one
-- Parameters: sync_id, list_id = the former list
-- Index:      none, one scan of the ledger
INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id, why, list_id)
SELECT
    l.sync_id,
    l.email,
    l.contact_hash,
    l.client_id,
    'list_changed',
    %(list_id)s
FROM contact_sync.ledger AS l
WHERE l.sync_id = %(sync_id)s AND l.email IS NOT NULL
ON CONFLICT (sync_id, email, list_id) DO NOTHING

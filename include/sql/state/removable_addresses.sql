-- Purpose:    former addresses that no client has any more, in the source or at SendGrid,
--             save those that were to be kept
-- Parameters: sync_id
-- Columns:    email
-- Index:      none: one scan of the ledger, only when removal has rows
SELECT a.email
FROM contact_sync.removal AS a
WHERE
    a.sync_id = %(sync_id)s
    AND NOT a.kept
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.ledger AS l
        WHERE l.sync_id = a.sync_id AND l.contact_hash = a.email_hash
    )
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.ledger AS l
        WHERE l.sync_id = a.sync_id AND l.email_hash = a.email_hash
    )
ORDER BY a.email

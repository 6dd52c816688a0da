-- Purpose:    clients of a run that get another address than the one they had
-- Parameters: run_id, sync_id
-- Columns:    client_id, email = the address of its contact, null if it has none; email_hash of its last address
-- Index:      outbox and ledger primary keys
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
ORDER BY o.client_id

-- Purpose:    clients of a run that get another address than the one of their contact
-- Parameters: run_id, sync_id
-- Columns:    client_id, former
-- Index:      outbox and ledger primary keys
SELECT
    o.client_id,
    l.email AS former
FROM contact_sync.outbox AS o
INNER JOIN contact_sync.ledger AS l
    ON l.sync_id = %(sync_id)s AND o.client_id = l.client_id
WHERE
    o.run_id = %(run_id)s
    AND l.email IS NOT NULL
    AND l.contact_hash <> o.email_hash
ORDER BY o.client_id

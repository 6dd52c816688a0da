-- Purpose:    clients of a run that get another address than the one they had
-- Parameters: run_id, sync_id
-- Columns:    client_id, former
-- A client that shared its address with another one has no contact of its own: its former address is then
-- that of the other client's contact.
-- Index:      outbox and ledger primary keys; one more scan of the ledger if there are such clients
WITH moved AS (
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
)

SELECT
    m.client_id,
    coalesce(m.email, min(s.email)) AS former
FROM moved AS m
LEFT JOIN contact_sync.ledger AS s
    ON m.email IS NULL AND s.sync_id = %(sync_id)s AND m.email_hash = s.contact_hash
GROUP BY m.client_id, m.email
HAVING coalesce(m.email, min(s.email)) IS NOT NULL
ORDER BY m.client_id

-- Purpose:    clients that are gone for certain: their contacts become removals, their ledger rows end
-- Parameters: sync_id, enough = number of absences
-- Index:      ledger_absent
WITH gone AS (
    DELETE FROM contact_sync.ledger AS l
    WHERE l.sync_id = %(sync_id)s AND l.absent >= %(enough)s
    RETURNING
        l.sync_id,
        l.email,
        l.contact_hash,
        l.client_id
)

INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id, why)
SELECT
    g.sync_id,
    g.email,
    g.contact_hash,
    max(g.client_id) AS client_id,
    'gone' AS why
FROM gone AS g
WHERE g.email IS NOT NULL
GROUP BY g.sync_id, g.email, g.contact_hash
ON CONFLICT (sync_id, email, list_id) DO UPDATE SET
    why = excluded.why,
    client_id = excluded.client_id

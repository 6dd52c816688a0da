-- Purpose:    clients that are newly excluded: remember their contacts, to be removed before anything is sent
-- Parameters: sync_id; temporary table fate; runs before merge_fates.sql, in the same transaction
-- Two clients may hold one address: after a job of unknown fate the contact may be either one's.
-- Index:      ledger primary key
INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id, why)
SELECT DISTINCT ON (l.email)
    l.sync_id,
    l.email,
    l.contact_hash,
    l.client_id,
    'excluded'
FROM pg_temp.fate AS f
INNER JOIN contact_sync.ledger AS l
    ON l.sync_id = %(sync_id)s AND f.client_id = l.client_id
WHERE
    f.state = 'excluded'
    AND f.reason <> 'shared_address'
    AND l.email IS NOT NULL
ORDER BY l.email ASC, l.client_id DESC
ON CONFLICT (sync_id, email, list_id) DO UPDATE SET
    why = excluded.why,
    client_id = excluded.client_id

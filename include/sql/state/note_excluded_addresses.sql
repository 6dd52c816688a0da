-- Purpose:    clients that are newly excluded: remember the contacts with their addresses, to be removed before
--             anything is sent
-- Parameters: sync_id; temporary table fate; runs before merge_fates.sql, in the same transaction
-- The contact may be the client's own, or that of another client which had the address when it was confirmed last:
-- it has left it, or has it still and is excluded as well. Two clients may hold one address: after a job of unknown
-- fate the contact may be either one's.
-- Index:      ledger primary key; one scan of the ledger
WITH excluded AS (
    SELECT
        f.client_id,
        f.email_hash
    FROM pg_temp.fate AS f
    WHERE f.state = 'excluded' AND f.reason <> 'shared_address'
),

contact AS (
    SELECT l.*
    FROM excluded AS x
    INNER JOIN contact_sync.ledger AS l
        ON l.sync_id = %(sync_id)s AND x.client_id = l.client_id
    WHERE l.email IS NOT NULL
    UNION ALL
    SELECT l.*
    FROM excluded AS x
    INNER JOIN contact_sync.ledger AS l
        ON l.sync_id = %(sync_id)s AND x.email_hash = l.contact_hash
    WHERE l.email IS NOT NULL
)

INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id, why)
SELECT DISTINCT ON (c.email)
    c.sync_id,
    c.email,
    c.contact_hash,
    c.client_id,
    'excluded'
FROM contact AS c
ORDER BY c.email ASC, c.client_id DESC
ON CONFLICT (sync_id, email, list_id) DO UPDATE SET
    why = excluded.why,
    client_id = excluded.client_id

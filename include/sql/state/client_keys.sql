-- The clients' keys in B2CORE, of sources that give them (state/client_keys.py); no run reads them.

-- create_key_now --
-- Room for the keys of a slice's clients; null = it has none.
CREATE TEMPORARY TABLE key_now (
    client_id bigint,
    client_key text
) ON COMMIT DROP;

-- forget_lost --
-- Of clients that have no key any more. Index: client_key primary key
DELETE FROM contact_sync.client_key AS k
USING pg_temp.key_now AS n
WHERE k.sync_id = %(sync_id)s AND k.client_id = n.client_id AND n.client_key IS NULL;

-- note --
-- What is the same already isn't even locked. Index: client_key primary key
INSERT INTO contact_sync.client_key AS k (sync_id, client_id, client_key)
SELECT
    %(sync_id)s,
    n.client_id,
    n.client_key
FROM pg_temp.key_now AS n
LEFT JOIN contact_sync.client_key AS known
    ON known.sync_id = %(sync_id)s AND n.client_id = known.client_id
WHERE n.client_key IS NOT NULL AND known.client_key IS DISTINCT FROM n.client_key
ON CONFLICT (sync_id, client_id) DO UPDATE SET client_key = excluded.client_key;

-- forget_unknown --
-- Of clients that the sync doesn't know any more, and whose contact it doesn't have to remove.
-- Index: client_key and ledger primary keys
DELETE FROM contact_sync.client_key AS k
WHERE
    k.sync_id = %(sync_id)s
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.ledger AS l
        WHERE l.sync_id = k.sync_id AND l.client_id = k.client_id
    )
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.removal AS m
        WHERE m.sync_id = k.sync_id AND m.client_id = k.client_id AND NOT m.kept
    );

-- forget_all --
DELETE FROM contact_sync.client_key
WHERE sync_id = %(sync_id)s;

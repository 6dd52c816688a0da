-- A sync gets another name (state/syncs.py).

-- lock_sync --
-- clients: whether it has any in the ledger. The row stays locked, so that no run begins meanwhile.
SELECT
    s.sync_id,
    s.lease_holder,
    coalesce(s.lease_until > now(), FALSE) AS is_taken,
    exists(SELECT FROM contact_sync.ledger AS l WHERE l.sync_id = s.sync_id) AS has_clients
FROM contact_sync.sync AS s
WHERE s.name = %(name)s
FOR UPDATE;

-- rename_sync --
UPDATE contact_sync.sync SET name = %(name)s
WHERE sync_id = %(sync_id)s;

-- sync_names --
SELECT name FROM contact_sync.sync
ORDER BY name;

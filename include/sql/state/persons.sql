-- Which person each client id belongs to (state/persons.py).

-- create_person_now --
-- Room for the clients whose row of the ledger doesn't say so yet.
CREATE TEMPORARY TABLE person_now (
    client_id bigint,
    person_hash bigint
) ON COMMIT DROP;

-- note --
-- Whom these ids belong to. Nothing else of the row has changed, nor has updated_at. New rows come with it: what else
-- writes the ledger changes it in no row.
-- Index: ledger primary key
UPDATE contact_sync.ledger AS l
SET person_hash = n.person_hash
FROM pg_temp.person_now AS n
WHERE l.sync_id = %(sync_id)s AND l.client_id = n.client_id;

-- part_with --
-- Another person has these ids now. Index: primary keys
WITH left_behind AS (
    DELETE FROM contact_sync.move
    WHERE sync_id = %(sync_id)s AND client_id = any(%(client_ids)s::bigint[])
)

DELETE FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND client_id = any(%(client_ids)s::bigint[]);

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
-- As removals.retire_absent, of ids that another person has now. Index: primary keys
WITH gone AS (
    DELETE FROM contact_sync.ledger AS l
    WHERE l.sync_id = %(sync_id)s AND l.client_id = any(%(client_ids)s::bigint[])
    RETURNING
        l.sync_id,
        l.email,
        l.contact_hash,
        l.client_id
),

left_behind AS (
    DELETE FROM contact_sync.move AS m
    WHERE m.sync_id = %(sync_id)s AND m.client_id = any(%(client_ids)s::bigint[])
)

INSERT INTO contact_sync.removal AS m (sync_id, email, email_hash, client_id, why)
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
    why = CASE WHEN m.why = 'excluded' THEN m.why ELSE excluded.why END,
    client_id = excluded.client_id;

-- Both sides of a verification (state/sides.py).

-- unflushed --
-- The commit isn't waited for on the disk: what a crash of the server could lose of these tables it empties anyway.
SELECT set_config('synchronous_commit', 'off', TRUE) AS setting;

-- drop_contacts --
DELETE FROM contact_sync.verify_contact
WHERE verification_id = %(verification_id)s;

-- drop_clients --
DELETE FROM contact_sync.verify_client
WHERE verification_id = %(verification_id)s;

-- drop_unequal --
DELETE FROM contact_sync.verify_unequal
WHERE verification_id = %(verification_id)s;

-- drop_sides_of_others --
-- Of verifications that are over: killed ones leave them.
WITH unequal AS (
    DELETE FROM contact_sync.verify_unequal AS u
    USING contact_sync.verification AS v
    WHERE u.verification_id = v.verification_id AND v.state <> 'running'
),

contact AS (
    DELETE FROM contact_sync.verify_contact AS a
    USING contact_sync.verification AS v
    WHERE a.verification_id = v.verification_id AND v.state <> 'running'
)

DELETE FROM contact_sync.verify_client AS c
USING contact_sync.verification AS v
WHERE c.verification_id = v.verification_id AND v.state <> 'running';

-- unite_doubles --
-- Several contacts of one address, which there should not be: one is left, equal to nothing, so that it is looked up.
WITH double AS (
    SELECT
        email_hash,
        min(ctid) AS kept
    FROM contact_sync.verify_contact
    WHERE verification_id = %(verification_id)s
    GROUP BY email_hash
    HAVING count(*) > 1
),

dropped AS (
    DELETE FROM contact_sync.verify_contact AS a
    USING double AS d
    WHERE a.verification_id = %(verification_id)s AND a.email_hash = d.email_hash AND a.ctid <> d.kept
)

UPDATE contact_sync.verify_contact AS a SET
    field_hashes = '',
    row_hash = 0
FROM double AS d
WHERE a.ctid = d.kept;

-- count_others --
-- Contacts of the account that no client calls for.
SELECT count(*) AS n FROM contact_sync.verify_contact
WHERE verification_id = %(verification_id)s AND NOT is_called_for;

-- contacts_loaded --
UPDATE contact_sync.verification SET
    export_hash = %(export_hash)s,
    counts = coalesce(counts, '{}') || %(counts)s,
    unequal_contacts = (
        SELECT count(*) FROM contact_sync.verify_contact AS a
        WHERE a.verification_id = %(verification_id)s
    )
WHERE verification_id = %(verification_id)s;

-- begin_reading --
UPDATE contact_sync.verification SET read_at = now()
WHERE verification_id = %(verification_id)s;

-- clients_loaded --
UPDATE contact_sync.verification SET
    snapshot = %(snapshot)s,
    counts = coalesce(counts, '{}') || %(counts)s
WHERE verification_id = %(verification_id)s;

-- count_clients --
SELECT count(*) AS n FROM contact_sync.verify_client
WHERE verification_id = %(verification_id)s;

-- has_both --
SELECT
    (v.counts ->> 'clients')::bigint = (
        SELECT count(*) FROM contact_sync.verify_client AS c
        WHERE c.verification_id = v.verification_id
    )
    AND v.unequal_contacts = (
        SELECT count(*) FROM contact_sync.verify_contact AS a
        WHERE a.verification_id = v.verification_id
    ) AS has
FROM contact_sync.verification AS v
WHERE v.verification_id = %(verification_id)s;

-- called_for --
-- Read as Arrow.
SELECT
    client_id,
    email_hash,
    row_hash,
    left_out = 0 AS is_exact
FROM contact_sync.verify_client
WHERE verification_id = %(verification_id)s AND calls_for = 'contact';

-- contact_hashes --
-- Read as Arrow. Index: ledger primary key
SELECT contact_hash
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND contact_hash IS NOT NULL;

-- rejected_clients --
-- Read as Arrow. Index: ledger_unconfirmed
SELECT
    client_id,
    email_hash
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND state = 'rejected';

-- is_running --
-- Index: run_running
SELECT exists(
    SELECT 1 FROM contact_sync.run AS r
    WHERE r.sync_id = %(sync_id)s AND r.state = 'running' AND NOT r.dry_run
) AS found;

-- stale_fields --
-- Index: ledger_stale
SELECT
    client_id,
    stale
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND stale <> 0 AND client_id BETWEEN %(first_id)s AND %(last_id)s
ORDER BY client_id;

-- lose_sides --
WITH found AS (
    DELETE FROM contact_sync.finding AS f
    WHERE f.verification_id = %(verification_id)s
)

UPDATE contact_sync.verification SET
    export_hash = NULL,
    snapshot = NULL,
    compared_at = NULL,
    counts = counts - '{looked_at, races}'::text[]
WHERE verification_id = %(verification_id)s;

-- count_calls --
SELECT
    calls_for,
    count(*) AS n
FROM contact_sync.verify_client
WHERE verification_id = %(verification_id)s
GROUP BY calls_for;

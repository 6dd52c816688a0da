-- What the state database has of a person who is erased: found, and deleted for good (state/purging.py). Index: none
-- where a table is searched by address; an erasure may read the ledger.
-- Parameters: sync_id; client_ids = the person's ids there; emails, email_hashes = the person's addresses.

-- clients_of_addresses --
-- Whose address one of these was in B2CORE when a run last looked; without such a client, whose contact has it.
WITH holders AS (
    SELECT
        l.client_id,
        l.email_hash = any(%(email_hashes)s) AS is_own
    FROM contact_sync.ledger AS l
    WHERE
        l.sync_id = %(sync_id)s
        AND (l.email_hash = any(%(email_hashes)s) OR l.contact_hash = any(%(email_hashes)s))
)

SELECT client_id FROM holders
WHERE
    is_own OR NOT EXISTS (
        SELECT 1 FROM holders AS h
        WHERE h.is_own
    )
ORDER BY client_id;

-- departed_clients --
-- Whose contact there has to go, or stayed by the definition's word, and whom the ledger doesn't have: they have left.
SELECT DISTINCT r.client_id FROM contact_sync.removal AS r
LEFT JOIN contact_sync.ledger AS l ON r.sync_id = l.sync_id AND r.client_id = l.client_id
WHERE r.sync_id = %(sync_id)s AND r.email_hash = any(%(email_hashes)s) AND r.client_id <> 0 AND l.client_id IS NULL;

-- same_clients --
-- Which of these ids another sync knows with one of these addresses: an id alone may be somebody else's there.
SELECT client_id FROM contact_sync.ledger
WHERE
    sync_id = %(sync_id)s
    AND client_id = any(%(client_ids)s)
    AND (email_hash = any(%(email_hashes)s) OR contact_hash = any(%(email_hashes)s))
UNION
SELECT client_id FROM contact_sync.removal
WHERE sync_id = %(sync_id)s AND client_id = any(%(client_ids)s) AND email_hash = any(%(email_hashes)s)
ORDER BY client_id;

-- addresses_of_clients --
-- Every address that the database has of these clients.
SELECT email FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND client_id = any(%(client_ids)s) AND email IS NOT NULL
UNION
SELECT o.email
FROM contact_sync.outbox AS o
INNER JOIN contact_sync.run AS r ON o.run_id = r.run_id
WHERE r.sync_id = %(sync_id)s AND o.client_id = any(%(client_ids)s)
UNION
SELECT email FROM contact_sync.removal
WHERE sync_id = %(sync_id)s AND client_id = any(%(client_ids)s) AND NOT kept
UNION
SELECT m.email
FROM contact_sync.move AS m
WHERE m.sync_id = %(sync_id)s AND m.client_id = any(%(client_ids)s)
UNION
SELECT m.former
FROM contact_sync.move AS m
WHERE m.sync_id = %(sync_id)s AND m.client_id = any(%(client_ids)s) AND m.former IS NOT NULL
UNION
SELECT f.email
FROM contact_sync.finding AS f
INNER JOIN contact_sync.verification AS v ON f.verification_id = v.verification_id
WHERE v.sync_id = %(sync_id)s AND f.client_id = any(%(client_ids)s) AND f.email IS NOT NULL
ORDER BY email;

-- every_address --
-- Those that are kept whether or not a client has them.
SELECT
    email,
    email_hash
FROM contact_sync.suppression
WHERE sync_id = %(sync_id)s
UNION
SELECT
    email,
    email_hash
FROM contact_sync.suppression_due
WHERE sync_id = %(sync_id)s
UNION
SELECT
    email,
    email_hash
FROM contact_sync.removal
WHERE sync_id = %(sync_id)s AND NOT kept
UNION
SELECT
    f.email,
    f.email_hash
FROM contact_sync.finding AS f
INNER JOIN contact_sync.verification AS v ON f.verification_id = v.verification_id
WHERE v.sync_id = %(sync_id)s AND f.email IS NOT NULL;

-- holders --
-- Who has these addresses now, in whichever sync: a former address may be another client's. Parameters: email_hashes
SELECT
    h.sync_id,
    h.client_id,
    h.held
FROM (
    SELECT
        l.sync_id,
        l.client_id,
        unnest(ARRAY[l.email_hash, l.contact_hash]) AS held
    FROM contact_sync.ledger AS l
    WHERE l.email_hash = any(%(email_hashes)s) OR l.contact_hash = any(%(email_hashes)s)
) AS h
WHERE h.held = any(%(email_hashes)s);

-- has_trace --
-- Whether a sync has something of the person, or something is under way in it that may bring that.
SELECT
    EXISTS (
        SELECT 1 FROM contact_sync.ledger AS l
        WHERE
            l.sync_id = %(sync_id)s
            AND (l.client_id = any(%(client_ids)s) OR l.email_hash = any(%(email_hashes)s) OR l.email = any(%(emails)s))
    ) OR EXISTS (
        SELECT 1 FROM contact_sync.removal AS m
        WHERE
            m.sync_id = %(sync_id)s
            AND (m.client_id = any(%(client_ids)s) OR m.email_hash = any(%(email_hashes)s))
    ) OR EXISTS (
        SELECT 1 FROM contact_sync.suppression AS s
        WHERE s.sync_id = %(sync_id)s AND s.email = any(%(emails)s)
    ) OR EXISTS (
        SELECT 1 FROM contact_sync.finding AS f
        INNER JOIN contact_sync.verification AS v ON f.verification_id = v.verification_id
        WHERE
            v.sync_id = %(sync_id)s
            AND (f.client_id = any(%(client_ids)s) OR f.email_hash = any(%(email_hashes)s))
    ) OR EXISTS (
        SELECT 1 FROM contact_sync.run AS r
        WHERE r.sync_id = %(sync_id)s AND r.state = 'running'
    ) OR EXISTS (
        SELECT 1 FROM contact_sync.batch AS b
        WHERE b.sync_id = %(sync_id)s AND b.is_open
    ) OR EXISTS (
        SELECT 1 FROM contact_sync.verification AS v
        WHERE v.sync_id = %(sync_id)s AND v.state = 'running'
    ) AS found;

-- forgotten --
-- How many former addresses of these clients only their hashes are left of: their contacts stayed by the definition's
-- word. Parameters: sync_id, client_ids, email_hashes
SELECT count(DISTINCT email_hash) AS n
FROM contact_sync.removal
WHERE
    sync_id = %(sync_id)s
    AND kept
    AND client_id = any(%(client_ids)s)
    AND NOT email_hash = any(%(email_hashes)s);

-- purge_ledger --
-- Also whoever shares the address: it may not be sent any more, and the next run finds nobody with it.
DELETE FROM contact_sync.ledger
WHERE
    sync_id = %(sync_id)s
    AND (client_id = any(%(client_ids)s) OR email = any(%(emails)s) OR email_hash = any(%(email_hashes)s));

-- purge_outbox --
DELETE FROM contact_sync.outbox AS o
USING contact_sync.run AS r
WHERE
    o.run_id = r.run_id
    AND r.sync_id = %(sync_id)s
    AND (o.client_id = any(%(client_ids)s) OR o.email = any(%(emails)s));

-- purge_removals --
DELETE FROM contact_sync.removal
WHERE
    sync_id = %(sync_id)s
    AND (client_id = any(%(client_ids)s) OR email = any(%(emails)s) OR email_hash = any(%(email_hashes)s));

-- purge_opt_outs_due --
-- An erased person isn't sent, so no opt-out has to keep mails from them.
DELETE FROM contact_sync.suppression_due
WHERE
    sync_id = %(sync_id)s
    AND (client_id = any(%(client_ids)s) OR email = any(%(emails)s) OR email_hash = any(%(email_hashes)s));

-- purge_moves --
DELETE FROM contact_sync.move
WHERE
    sync_id = %(sync_id)s
    AND (client_id = any(%(client_ids)s) OR email = any(%(emails)s) OR former = any(%(emails)s));

-- purge_suppressions --
DELETE FROM contact_sync.suppression
WHERE sync_id = %(sync_id)s AND (email = any(%(emails)s) OR email_hash = any(%(email_hashes)s));

-- purge_findings --
DELETE FROM contact_sync.finding AS f
USING contact_sync.verification AS v
WHERE
    f.verification_id = v.verification_id
    AND v.sync_id = %(sync_id)s
    AND (f.client_id = any(%(client_ids)s) OR f.email = any(%(emails)s) OR f.email_hash = any(%(email_hashes)s));

-- purge_dropped_values --
DELETE FROM contact_sync.dropped_value
WHERE sync_id = %(sync_id)s AND client_id = any(%(client_ids)s);

-- purge_changes --
-- Index: change_by_client
DELETE FROM contact_sync.change
WHERE sync_id = %(sync_id)s AND client_id = any(%(client_ids)s);

-- purge_refused_values --
DELETE FROM contact_sync.refused_value
WHERE sync_id = %(sync_id)s AND client_id = any(%(client_ids)s);

-- purge_client_keys --
DELETE FROM contact_sync.client_key
WHERE sync_id = %(sync_id)s AND client_id = any(%(client_ids)s);

-- purge_slices --
-- Of runs that are over, whoever is in them: which clients they had to read nobody needs any more.
DELETE FROM contact_sync.slice AS s
USING contact_sync.run AS r
WHERE s.run_id = r.run_id AND r.sync_id = %(sync_id)s AND r.state <> 'running';

-- purge_bounds --
-- A batch that begins or ends with the person keeps no range of ids; it is over.
UPDATE contact_sync.batch SET
    first_id = NULL,
    last_id = NULL
WHERE
    sync_id = %(sync_id)s
    AND NOT is_open
    AND (first_id = any(%(client_ids)s) OR last_id = any(%(client_ids)s));

-- purge_trials --
UPDATE contact_sync.run SET
    only_clients = (
        SELECT coalesce(array_agg(c.id), '{}') FROM unnest(only_clients) AS c (id)
        WHERE c.id <> all(%(client_ids)s)
    )
WHERE sync_id = %(sync_id)s AND only_clients && %(client_ids)s::bigint[];

-- purge_examples --
-- A plan that names the person as an example of a rejection gives no examples any more.
UPDATE contact_sync.run SET plan = plan - 'examples'
WHERE
    sync_id = %(sync_id)s
    AND plan ? 'examples'
    AND EXISTS (
        SELECT 1 FROM jsonb_each(plan -> 'examples') AS e (why, ids)
        CROSS JOIN jsonb_array_elements_text(e.ids) AS i (client_id)
        WHERE i.client_id::bigint = any(%(client_ids)s)
    );

-- purge_sides --
-- Of verifications that were given up: their sides are dropped when the next one begins.
DELETE FROM contact_sync.verify_client AS c
USING contact_sync.verification AS v
WHERE
    c.verification_id = v.verification_id
    AND v.sync_id = %(sync_id)s
    AND v.state <> 'running'
    AND (c.client_id = any(%(client_ids)s) OR c.email_hash = any(%(email_hashes)s));

-- purge_account_side --
DELETE FROM contact_sync.verify_contact AS c
USING contact_sync.verification AS v
WHERE
    c.verification_id = v.verification_id
    AND v.sync_id = %(sync_id)s
    AND v.state <> 'running'
    AND c.email_hash = any(%(email_hashes)s);

-- purge_proofs --
DELETE FROM contact_sync.verify_proof AS c
USING contact_sync.verification AS v
WHERE
    c.verification_id = v.verification_id
    AND v.sync_id = %(sync_id)s
    AND v.state <> 'running'
    AND (c.client_id = any(%(client_ids)s) OR c.email = any(%(emails)s));

-- purge_unequal --
DELETE FROM contact_sync.verify_unequal AS u
USING contact_sync.verification AS v
WHERE
    u.verification_id = v.verification_id
    AND v.sync_id = %(sync_id)s
    AND v.state <> 'running'
    AND u.client_id = any(%(client_ids)s);

-- purge_looked_at --
UPDATE contact_sync.looked_at SET
    client_ids = array(
        SELECT u.client_id FROM unnest(client_ids) AS u (client_id)
        WHERE u.client_id <> all(%(client_ids)s::bigint[])
    )
WHERE sync_id = %(sync_id)s AND client_ids && %(client_ids)s::bigint[];

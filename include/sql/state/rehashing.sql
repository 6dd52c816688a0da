-- What a new key changes (state/rehashing.py).

-- add --
INSERT INTO contact_sync.hash_key (place, key_id)
SELECT
    coalesce(max(place), 0) + 1,
    %(key_id)s
FROM contact_sync.hash_key;

-- all_idle --
-- Whether nobody else is at work; no run, no verification and no erasure begins until the transaction ends. Dry runs
-- don't count: they are ended.
-- Parameters: sync_id = whose lease the transaction has, 0 = none
WITH locked AS (
    SELECT
        sync_id,
        coalesce(lease_until > now(), FALSE) AS is_taken
    FROM contact_sync.sync
    FOR UPDATE SKIP LOCKED
)

SELECT
    count(*) FILTER (WHERE NOT o.is_taken OR o.sync_id = %(sync_id)s) = (SELECT count(*) FROM contact_sync.sync)
    AND NOT EXISTS (
        SELECT FROM contact_sync.verification AS v
        WHERE v.state = 'running'
    ) AS found
FROM locked AS o;

-- fence_off --
-- Whoever has lost its lease, and doesn't know it yet, hashes without the new key. Parameters: sync_id = of the run
UPDATE contact_sync.sync SET epoch = epoch + 1
WHERE sync_id <> %(sync_id)s AND lease_holder IS NOT NULL;

-- end_dry_runs --
-- They read with the hashes of before, and no fence keeps them from going on. Index: run_running, once for each sync
UPDATE contact_sync.run AS r SET
    state = 'failed',
    cause = %(cause)s,
    finished_at = now()
FROM contact_sync.sync AS s
WHERE r.sync_id = s.sync_id AND r.state = 'running' AND r.dry_run;

-- ledger_part --
-- Index: ledger_pkey. Parameters: sync_id, first_id, at_most
SELECT
    client_id AS id,
    coalesce(email_hash, 0) AS email_hash,
    coalesce(contact_hash, 0) AS contact_hash,
    coalesce(row_hash, 0) AS row_hash,
    coalesce(looked_hash, 0) AS looked_hash,
    coalesce(person_hash, 0) AS person_hash
FROM contact_sync.ledger
WHERE sync_id = %(group_id)s AND client_id >= %(first_id)s
ORDER BY client_id
LIMIT %(at_most)s;

-- rehash_ledger --
UPDATE contact_sync.ledger AS l SET
    email_hash = n.email_hash,
    contact_hash = nullif(n.contact_hash, 0),
    row_hash = nullif(n.row_hash, 0),
    looked_hash = nullif(n.looked_hash, 0),
    person_hash = nullif(n.person_hash, 0)
FROM
    unnest(
        %(id)s::bigint[],
        %(email_hash)s::bigint[],
        %(contact_hash)s::bigint[],
        %(row_hash)s::bigint[],
        %(looked_hash)s::bigint[],
        %(person_hash)s::bigint[]
    ) AS n (id, email_hash, contact_hash, row_hash, looked_hash, person_hash)
WHERE l.sync_id = %(group_id)s AND l.client_id = n.id;

-- outbox_part --
-- Index: outbox_pkey. Parameters: group_id = the run, first_id, at_most
SELECT
    client_id AS id,
    email_hash,
    row_hash,
    coalesce(person_hash, 0) AS person_hash
FROM contact_sync.outbox
WHERE run_id = %(group_id)s AND client_id >= %(first_id)s
ORDER BY client_id
LIMIT %(at_most)s;

-- rehash_outbox --
UPDATE contact_sync.outbox AS o SET
    email_hash = n.email_hash,
    row_hash = n.row_hash,
    person_hash = CASE WHEN o.person_hash IS NOT NULL THEN n.person_hash END
FROM
    unnest(%(id)s::bigint[], %(email_hash)s::bigint[], %(row_hash)s::bigint[], %(person_hash)s::bigint[])
        AS n (id, email_hash, row_hash, person_hash)
WHERE o.run_id = %(group_id)s AND o.client_id = n.id;

-- syncs_with_ledger --
SELECT sync_id AS id
FROM contact_sync.sync
ORDER BY sync_id;

-- runs_with_outbox --
-- Index: outbox_pkey, once for each run
SELECT r.run_id AS id
FROM contact_sync.run AS r
WHERE
    EXISTS (
        SELECT FROM contact_sync.outbox AS o
        WHERE o.run_id = r.run_id
    )
ORDER BY r.run_id;

-- other_hashes --
SELECT email_hash AS old FROM contact_sync.removal
UNION
SELECT former_hash AS old FROM contact_sync.move
UNION
SELECT email_hash AS old FROM contact_sync.suppression
UNION
SELECT email_hash AS old FROM contact_sync.suppression_due
UNION
SELECT email_hash AS old FROM contact_sync.finding
UNION
SELECT value_hash AS old FROM contact_sync.refused_value
UNION
SELECT email_hash AS old FROM contact_sync.erasure_address;

-- rehash_removals --
-- What is kept has its hash in place of the address.
UPDATE contact_sync.removal AS r SET
    email = CASE WHEN r.email = '#' || r.email_hash THEN '#' || n.new ELSE r.email END,
    email_hash = n.new
FROM unnest(%(old)s::bigint[], %(new)s::bigint[]) AS n (old, new)
WHERE r.email_hash = n.old;

-- rehash_moves --
UPDATE contact_sync.move AS m SET former_hash = n.new
FROM unnest(%(old)s::bigint[], %(new)s::bigint[]) AS n (old, new)
WHERE m.former_hash = n.old;

-- rehash_suppressions --
UPDATE contact_sync.suppression AS s SET email_hash = n.new
FROM unnest(%(old)s::bigint[], %(new)s::bigint[]) AS n (old, new)
WHERE s.email_hash = n.old;

-- rehash_suppressions_due --
UPDATE contact_sync.suppression_due AS d SET email_hash = n.new
FROM unnest(%(old)s::bigint[], %(new)s::bigint[]) AS n (old, new)
WHERE d.email_hash = n.old;

-- rehash_findings --
UPDATE contact_sync.finding AS f SET email_hash = n.new
FROM unnest(%(old)s::bigint[], %(new)s::bigint[]) AS n (old, new)
WHERE f.email_hash = n.old;

-- rehash_refused_values --
UPDATE contact_sync.refused_value AS v SET value_hash = n.new
FROM unnest(%(old)s::bigint[], %(new)s::bigint[]) AS n (old, new)
WHERE v.value_hash = n.old;

-- rehash_erasures --
UPDATE contact_sync.erasure_address AS a SET email_hash = n.new
FROM unnest(%(old)s::bigint[], %(new)s::bigint[]) AS n (old, new)
WHERE a.email_hash = n.old;

-- tags --
SELECT DISTINCT
    kind,
    tag AS old,
    key_id
FROM contact_sync.tombstone;

-- rehash_tombstones --
UPDATE contact_sync.tombstone AS t SET tag = n.new
FROM unnest(%(old)s::bigint[], %(new)s::bigint[]) AS n (old, new)
WHERE t.kind = %(kind)s AND t.tag = n.old;

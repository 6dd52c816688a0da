-- A ledger that is empty, or isn't believed, filled from a verification (state/rebuilds.py).

-- keep_equal --
-- Only of clients whose contact is equal: neither is there a finding, nor do they wait for a run, because B2CORE calls
-- for something else by now, so that nobody knows what their contact lacks. Index: finding primary key
WITH unequal AS (
    SELECT f.client_id FROM contact_sync.finding AS f
    WHERE f.verification_id = %(verification_id)s AND f.client_id IS NOT NULL
    UNION
    SELECT v.client_id FROM contact_sync.verify_pair AS v
    WHERE v.verification_id = %(verification_id)s AND v.waits
)

DELETE FROM contact_sync.verify_proof AS p
USING unequal AS u
WHERE p.verification_id = %(verification_id)s AND p.client_id = u.client_id;

-- note_former --
-- Contacts of clients that have another address by now, whose contact there is equal: the former ones have to go.
-- Parameters of all that follow: verification_id, sync_id; read_at = when B2CORE was read. Index: ledger primary key
INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id)
SELECT
    l.sync_id,
    l.email,
    l.contact_hash,
    l.client_id
FROM contact_sync.verify_proof AS p
INNER JOIN contact_sync.ledger AS l
    ON l.sync_id = %(sync_id)s AND p.client_id = l.client_id
WHERE
    p.verification_id = %(verification_id)s
    AND l.contact_hash <> p.email_hash
    AND l.updated_at < %(read_at)s
ON CONFLICT (sync_id, email, list_id) DO NOTHING;

-- release_taken --
-- A contact that is equal to what one client calls for is no other one's any more. Index: none, one scan of the ledger
UPDATE contact_sync.ledger AS l
SET
    email = NULL,
    contact_hash = NULL,
    email_hash = 0,
    row_hash = NULL,
    filled = 0
FROM contact_sync.verify_proof AS p
WHERE
    p.verification_id = %(verification_id)s
    AND l.sync_id = %(sync_id)s
    AND l.contact_hash = p.email_hash
    AND l.client_id <> p.client_id
    AND l.state IN ('confirmed', 'pending')
    AND l.updated_at < %(read_at)s;

-- confirm_equal --
-- Clients whose contact holds exactly what they call for are confirmed without a call. What a run has written since
-- B2CORE was read stays. A value that SendGrid can't clear may still be there. Index: ledger primary key
INSERT INTO contact_sync.ledger AS l (
    sync_id, client_id, state, email_hash, email, contact_hash, row_hash, filled, person_hash, updated_at
)
SELECT
    %(sync_id)s,
    p.client_id,
    'confirmed',
    p.email_hash,
    p.email,
    p.email_hash,
    p.row_hash,
    p.filled,
    nullif(p.person_hash, 0),
    now()
FROM contact_sync.verify_proof AS p
WHERE
    p.verification_id = %(verification_id)s
ON CONFLICT (sync_id, client_id) DO UPDATE SET
    state = excluded.state,
    email_hash = excluded.email_hash,
    email = excluded.email,
    contact_hash = excluded.contact_hash,
    row_hash = excluded.row_hash,
    filled = excluded.filled | l.stale,
    person_hash = coalesce(excluded.person_hash, l.person_hash),
    rejected_since = NULL,
    field = NULL,
    reason = NULL,
    detail = NULL,
    tries = 0,
    looks = 0,
    retaken = 0,
    off_list = NULL,
    unconfirmed = FALSE,
    updated_at = excluded.updated_at
WHERE l.updated_at < %(read_at)s;

-- leave_unproven --
-- Clients that this ledger, which isn't believed, calls confirmed, and that the verification didn't find equal: the
-- next run that sees one sends it. Parameters: sync_id, reason. Index: none, one scan of the ledger
UPDATE contact_sync.ledger SET
    state = 'pending',
    reason = %(reason)s,
    row_hash = NULL,
    updated_at = now()
WHERE sync_id = %(sync_id)s AND state = 'confirmed' AND updated_at < now();

-- drop_proofs --
DELETE FROM contact_sync.verify_proof
WHERE verification_id = %(verification_id)s;

-- drop_proofs_of_others --
-- Of verifications that are over: killed ones leave them.
DELETE FROM contact_sync.verify_proof AS p
USING contact_sync.verification AS v
WHERE p.verification_id = v.verification_id AND v.state <> 'running';

-- note_rebuilt --
UPDATE contact_sync.verification SET rebuilt = coalesce(rebuilt, %(clients)s)
WHERE verification_id = %(verification_id)s;

-- newest_run --
-- The sync's newest real run, by which its mark is known; no row = none has run. Index: run_by_start
SELECT
    r.run_id,
    r.token,
    r.state = 'running' AS is_open,
    s.life::text AS life
FROM contact_sync.run AS r
INNER JOIN contact_sync.sync AS s ON r.sync_id = s.sync_id
WHERE r.sync_id = %(sync_id)s AND NOT r.dry_run
ORDER BY r.run_id DESC
LIMIT 1;

-- What a verification has found becomes work for the next run (state/repairs.py).

-- send_again --
-- Clients whose contact isn't as it has to be: the next run sends them whatever their hashes say, and empties what
-- SendGrid may hold and B2CORE hasn't. Whoever has another address by now, or is rejected, excluded or shared, has a
-- fate that is judged by each run; only whom a person removed and put there again is sent.
-- Parameters: verification_id, sync_id. Index: finding primary key, ledger primary key
WITH found AS (
    SELECT
        f.client_id,
        f.email_hash,
        max(f.verdict) AS verdict,
        coalesce(bit_or(1::bigint << (m.position - 1)::int), 0) AS fields
    FROM contact_sync.finding AS f
    INNER JOIN contact_sync.sync AS s ON s.sync_id = %(sync_id)s
    LEFT JOIN LATERAL unnest(s.fields) WITH ORDINALITY AS m (name, position)
        ON lower(m.name) IN (SELECT lower(n.name) FROM unnest(f.fields) AS n (name))
    WHERE
        f.verification_id = %(verification_id)s
        AND f.verdict IN ('missing', 'different', 'off_list')
        AND f.client_id IS NOT NULL
        AND NOT f.repaired
    GROUP BY f.client_id, f.email_hash
)

UPDATE contact_sync.ledger AS l SET
    state = 'pending',
    reason = 'found_' || f.verdict,
    detail = NULL,
    field = NULL,
    row_hash = NULL,
    filled = l.filled | f.fields,
    off_list = NULL,
    updated_at = now()
FROM found AS f
WHERE
    l.sync_id = %(sync_id)s
    AND l.client_id = f.client_id
    AND l.email_hash = f.email_hash
    AND (l.state IN ('confirmed', 'pending') OR l.reason = 'removed_by_hand');

-- note_unentitled --
-- Contacts that have no right to be where they are: the next run takes them away as the definition says of such ones,
-- unless a client needs the address by then. Parameters: verification_id, sync_id. Index: finding primary key
INSERT INTO contact_sync.removal AS m (sync_id, email, email_hash, client_id, why)
SELECT DISTINCT ON (f.email)
    %(sync_id)s,
    f.email,
    f.email_hash,
    coalesce(f.client_id, 0),
    CASE f.verdict
        WHEN 'excluded_on_list' THEN 'excluded'
        WHEN 'deleted_on_list' THEN 'gone'
        ELSE 'address_changed'
    END
FROM contact_sync.finding AS f
WHERE
    f.verification_id = %(verification_id)s
    AND f.verdict IN ('excluded_on_list', 'deleted_on_list', 'former_on_list', 'ghost')
    AND f.email IS NOT NULL
    AND NOT f.repaired
ORDER BY f.email ASC, f.verdict = 'excluded_on_list' DESC
ON CONFLICT (sync_id, email, list_id) DO UPDATE SET
    why = CASE WHEN m.why = 'excluded' THEN m.why ELSE excluded.why END,
    tries = 0,
    tried_at = NULL;

-- count_foreign --
-- How many contacts on the sync's list no sync ever had, and no repair has noted. Index: finding primary key
SELECT count(*) AS n
FROM contact_sync.finding
WHERE verification_id = %(verification_id)s AND verdict = 'foreign_on_list' AND NOT repaired;

-- note_foreign --
-- A person has named their exact number. Parameters: verification_id, sync_id. Index: finding primary key
INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id, why)
SELECT
    %(sync_id)s,
    f.email,
    f.email_hash,
    0,
    'foreign'
FROM contact_sync.finding AS f
WHERE
    f.verification_id = %(verification_id)s
    AND f.verdict = 'foreign_on_list'
    AND f.email IS NOT NULL
    AND NOT f.repaired
ON CONFLICT (sync_id, email, list_id) DO NOTHING;

-- note_repaired --
-- What is marked isn't marked again: a run may have repaired it meanwhile. Parameters: verdicts
UPDATE contact_sync.finding SET repaired = TRUE
WHERE verification_id = %(verification_id)s AND verdict = any(%(verdicts)s) AND NOT repaired;

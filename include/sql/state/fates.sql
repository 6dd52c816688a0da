-- Clients that are kept back: rejected, excluded, pending and sharing ones (state/fates.py).

-- create_fate --
-- Room for the clients that a slice doesn't send; row_hash NULL = unknown, person_hash 0 = unknown.
CREATE TEMPORARY TABLE fate (
    client_id bigint,
    state text,
    email_hash bigint,
    row_hash bigint,
    field text,
    reason text,
    detail text,
    person_hash bigint
) ON COMMIT DROP;

-- note_lost_addresses --
-- Another client represents this one's address: remember the contact that it filled. If that is
-- the shared one, the other client clears what it doesn't fill itself, however often it tries;
-- if it is a former one, it is removed. The same of a client whose address is empty or invalid now
-- Parameters: sync_id; temporary table fate; runs before merge_fates, in the same transaction
-- Index: ledger primary key
INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id, why)
SELECT
    l.sync_id,
    l.email,
    l.contact_hash,
    l.client_id,
    CASE f.state WHEN 'rejected' THEN 'address_lost' ELSE 'address_changed' END
FROM pg_temp.fate AS f
INNER JOIN contact_sync.ledger AS l
    ON l.sync_id = %(sync_id)s AND f.client_id = l.client_id
WHERE l.email IS NOT NULL AND (f.state = 'shared' OR (f.state = 'rejected' AND f.field = 'email'))
ON CONFLICT (sync_id, email, list_id) DO NOTHING;

-- note_excluded_addresses --
-- Clients that are newly excluded: remember the contacts with their addresses, to be removed before
-- anything is sent
-- Parameters: sync_id; temporary table fate; runs before merge_fates, in the same transaction
-- The contact may be the client's own, or that of another client which had the address when it was confirmed last:
-- it has left it, or has it still and is excluded as well. Two clients may hold one address: after a job of unknown
-- fate the contact may be either one's. What is noted already of such a client or address, a former address that waits
-- for what goes along from it, goes for this reason from now on, and waits for nothing.
-- Index: ledger primary key; one scan of the ledger
WITH excluded AS (
    SELECT
        f.client_id,
        f.email_hash
    FROM pg_temp.fate AS f
    WHERE f.state = 'excluded'
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
),

noted_before AS (
    UPDATE contact_sync.removal AS m SET why = 'excluded'
    FROM excluded AS x
    WHERE
        m.sync_id = %(sync_id)s
        AND (m.client_id = x.client_id OR (m.email_hash = x.email_hash AND x.email_hash <> 0))
        AND NOT m.kept
        AND m.why NOT IN ('excluded', 'list_changed')
        AND NOT EXISTS (
            SELECT 1 FROM contact AS c
            WHERE c.email = m.email
        )
)

INSERT INTO contact_sync.removal AS m (sync_id, email, email_hash, client_id, why)
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
    client_id = excluded.client_id,
    noted_at = CASE
        WHEN m.why = excluded.why AND m.client_id = excluded.client_id THEN m.noted_at
        ELSE excluded.noted_at
    END;

-- merge_fates --
-- Write the fates that need no call to SendGrid: rejected, excluded, shared, pending
-- Parameters: sync_id; temporary table
-- fate(client_id, state, email_hash, row_hash, field, reason, detail, person_hash)
-- Who is excluded now, or again, has to be looked up (off_list).
-- What SendGrid holds (email, contact_hash, filled) stays known, except for a client that lost a
-- shared address: another client represents it, and its own contact is noted for removal.
-- Index: ledger primary key
INSERT INTO contact_sync.ledger AS l (
    sync_id, client_id, state, email_hash, row_hash, field, reason, detail, tries, rejected_since,
    person_hash, updated_at
)
SELECT
    %(sync_id)s,
    f.client_id,
    f.state,
    f.email_hash,
    f.row_hash,
    f.field,
    f.reason,
    f.detail,
    CASE WHEN f.state = 'rejected' THEN 1 ELSE 0 END,
    CASE WHEN f.state = 'rejected' THEN now() END,
    nullif(f.person_hash, 0),
    now()
FROM pg_temp.fate AS f
ON CONFLICT (sync_id, client_id) DO UPDATE SET
    state = excluded.state,
    email_hash = excluded.email_hash,
    row_hash = excluded.row_hash,
    email = CASE WHEN excluded.state = 'shared' THEN NULL ELSE l.email END,
    contact_hash = CASE WHEN excluded.state = 'shared' THEN NULL ELSE l.contact_hash END,
    field = excluded.field,
    off_list = NULL,
    tries = CASE WHEN excluded.state = 'rejected' THEN least(l.tries + 1, 32767) ELSE l.tries END,
    rejected_since = CASE
        WHEN excluded.state = 'rejected' THEN coalesce(l.rejected_since, excluded.rejected_since)
        WHEN excluded.state = 'pending' THEN l.rejected_since
    END,
    reason = excluded.reason,
    detail = excluded.detail,
    updated_at = excluded.updated_at;

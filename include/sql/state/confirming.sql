-- What SendGrid applied of a batch, and what it refused (state/confirming.py).

-- create_refused --
-- Room for the contacts of a batch that SendGrid refused; reason NULL = one that is sent again without a value.
CREATE TEMPORARY TABLE refused (
    email text,
    field text,
    reason text,
    detail text
) ON COMMIT DROP;

-- count_refused --
-- How many contacts of a batch are among the refused ones.
SELECT count(*) AS n
FROM contact_sync.batch_contact AS o
WHERE
    o.batch_id = %(batch_id)s
    AND EXISTS (
        SELECT 1 FROM pg_temp.refused AS r
        WHERE r.email = o.email
    );

-- note_former_addresses --
-- Remember the former address of each client of a batch whose contact has moved
-- Parameters: as confirm_batch; runs before it, in the same transaction
-- Index: outbox and ledger primary keys
INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id)
SELECT
    l.sync_id,
    l.email,
    l.contact_hash,
    l.client_id
FROM contact_sync.outbox AS o
INNER JOIN contact_sync.ledger AS l
    ON l.sync_id = %(sync_id)s AND o.client_id = l.client_id
WHERE
    o.run_id = %(run_id)s
    AND o.client_id BETWEEN %(first_id)s AND %(last_id)s
    AND (%(json_only)s::boolean IS NULL OR o.json_only = %(json_only)s)
    AND l.client_id BETWEEN %(first_id)s AND %(last_id)s
    AND l.contact_hash <> o.email_hash
    AND NOT EXISTS (
        SELECT 1 FROM pg_temp.refused AS r
        WHERE r.email = o.email
    )
ON CONFLICT (sync_id, email, list_id) DO NOTHING;

-- forget_kept --
-- A contact that stayed as nobody's is a client's of the batch: it needs no mark any more.
-- Index: outbox primary key, removal_by_hash
DELETE FROM contact_sync.removal AS a
USING contact_sync.batch_contact AS o
WHERE
    o.batch_id = %(batch_id)s
    AND a.sync_id = o.sync_id
    AND a.email_hash = o.email_hash
    AND a.kept
    AND NOT EXISTS (
        SELECT 1 FROM pg_temp.refused AS r
        WHERE r.email = o.email
    );

-- release_taken_addresses --
-- Addresses that a client of the batch took over are no longer the contact of whoever had
-- them: a client that moved, or one that is gone from B2CORE
-- Parameters: batch_id; temporary table refused; runs before confirm_batch, in the same transaction
-- The former owner, if it is still there, looks moved and is compared again by the next run.
-- Index: none: one scan of the ledger, only for a batch that takes addresses over
UPDATE contact_sync.ledger AS l
SET
    email = NULL,
    contact_hash = NULL,
    email_hash = 0,
    row_hash = NULL,
    filled = 0
FROM contact_sync.batch_contact AS o
WHERE
    o.batch_id = %(batch_id)s
    AND o.takes_over
    AND l.sync_id = o.sync_id
    AND l.contact_hash = o.email_hash
    AND l.client_id <> o.client_id
    AND NOT EXISTS (
        SELECT 1 FROM pg_temp.refused AS r
        WHERE r.email = o.email  -- noqa: RF01
    );

-- forget_removals --
-- Contacts of excluded clients whose addresses the batch took over are others' now, unless a client that is excluded
-- now has the address: nothing is left to remove
-- Parameters: batch_id; temporary table refused; in the same transaction as confirm_batch
DELETE FROM contact_sync.removal AS a
USING contact_sync.batch_contact AS o
WHERE
    o.batch_id = %(batch_id)s
    AND o.takes_over
    AND a.sync_id = o.sync_id
    AND a.email = o.email
    AND a.why = 'excluded'
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.excluded_address AS x
        WHERE x.sync_id = a.sync_id AND x.email_hash = a.email_hash  -- noqa: RF01
    )
    AND NOT EXISTS (
        SELECT 1 FROM pg_temp.refused AS r
        WHERE r.email = o.email  -- noqa: RF01
    );

-- confirm_batch --
-- Write the contacts of a batch that SendGrid applied into the ledger: clients that it knows already
-- Parameters: batch_id, run_id, sync_id, first_id, last_id, json_only of the batch: with its bounds as constants the
-- planner knows how many contacts it has, which the view batch_contact hides, and reads no more of the
-- ledger than that; temporary table refused(email, field, reason, detail) holds the others
-- Index: outbox and ledger primary keys
UPDATE contact_sync.ledger AS l
SET
    state = 'confirmed',
    email_hash = o.email_hash,
    email = o.email,
    contact_hash = o.email_hash,
    row_hash = o.row_hash,
    filled = o.filled,
    stale = o.stale,
    rejected_since = NULL,
    field = NULL,
    reason = NULL,
    detail = NULL,
    tries = 0,
    looks = 0,
    retaken = 0,
    unconfirmed = FALSE,
    batch_id = %(batch_id)s,
    updated_at = now()
FROM contact_sync.outbox AS o
WHERE
    o.run_id = %(run_id)s
    AND o.client_id BETWEEN %(first_id)s AND %(last_id)s
    AND (%(json_only)s::boolean IS NULL OR o.json_only = %(json_only)s)
    AND l.sync_id = %(sync_id)s
    AND l.client_id = o.client_id
    AND l.client_id BETWEEN %(first_id)s AND %(last_id)s
    AND NOT EXISTS (
        SELECT 1 FROM pg_temp.refused AS r
        WHERE r.email = o.email  -- noqa: RF01
    );

-- confirm_new --
-- Write the contacts of a batch that SendGrid applied into the ledger: clients that it doesn't know yet
-- Parameters: as confirm_batch, which runs before, in the same transaction
-- An upsert (ON CONFLICT) of a whole first load takes twice as long, because it looks for every key first.
-- Index: outbox and ledger primary keys
INSERT INTO contact_sync.ledger (
    sync_id, client_id, state, email_hash, email, contact_hash, row_hash, filled, stale, person_hash,
    batch_id, updated_at
)
SELECT
    %(sync_id)s,
    o.client_id,
    'confirmed',
    o.email_hash,
    o.email,
    o.email_hash,
    o.row_hash,
    o.filled,
    o.stale,
    nullif(o.person_hash, 0),
    %(batch_id)s,
    now()
FROM contact_sync.outbox AS o
WHERE
    o.run_id = %(run_id)s
    AND o.client_id BETWEEN %(first_id)s AND %(last_id)s
    AND (%(json_only)s::boolean IS NULL OR o.json_only = %(json_only)s)
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.ledger AS l
        WHERE
            l.sync_id = %(sync_id)s
            AND l.client_id = o.client_id
            AND l.client_id BETWEEN %(first_id)s AND %(last_id)s
    )
    AND NOT EXISTS (
        SELECT 1 FROM pg_temp.refused AS r
        WHERE r.email = o.email
    );

-- refuse_in_batch --
-- Write the contacts of a batch that SendGrid refused into the ledger as rejected
-- Parameters: batch_id; temporary table refused(email, field, reason, detail), where an address may come twice
-- Index: outbox and ledger primary keys
INSERT INTO contact_sync.ledger AS l (
    sync_id, client_id, state, email_hash, row_hash, field, reason, detail, tries, rejected_since,
    person_hash, batch_id, updated_at
)
SELECT
    o.sync_id,
    o.client_id,
    'rejected',
    o.email_hash,
    o.row_hash,
    r.field,
    r.reason,
    r.detail,
    1,
    now(),
    nullif(o.person_hash, 0),
    o.batch_id,
    now()
FROM contact_sync.batch_contact AS o
INNER JOIN (
    SELECT DISTINCT ON (email) * FROM pg_temp.refused
    WHERE reason IS NOT NULL
    ORDER BY email ASC, detail ASC NULLS LAST
) AS r ON o.email = r.email
WHERE o.batch_id = %(batch_id)s
ON CONFLICT (sync_id, client_id) DO UPDATE SET
    state = excluded.state,
    email_hash = excluded.email_hash,
    row_hash = excluded.row_hash,
    field = excluded.field,
    reason = excluded.reason,
    detail = excluded.detail,
    tries = least(l.tries + 1, 32767),
    rejected_since = coalesce(l.rejected_since, excluded.rejected_since),
    looked_up_at = NULL,
    batch_id = excluded.batch_id,
    updated_at = excluded.updated_at;

-- clear_settled --
-- The same, but for the contacts that are sent again without a value.
-- Parameters: batch_id; temporary table refused
-- Index: outbox primary key
DELETE FROM contact_sync.outbox AS o
USING contact_sync.batch AS b
WHERE
    b.batch_id = %(batch_id)s
    AND o.run_id = b.run_id
    AND o.client_id BETWEEN b.first_id AND b.last_id
    AND (b.json_only IS NULL OR o.json_only = b.json_only)
    AND NOT EXISTS (
        SELECT 1 FROM pg_temp.refused AS r
        WHERE r.email = o.email AND r.reason IS NULL
    );

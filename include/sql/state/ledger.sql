-- The ledger: each client's fate (state/ledger.py).

-- known_clients --
-- Read as Arrow, as the two below. Parameters: the numbers of the fates (base/client_life.py). A hash is 0 where it is
-- unknown.
SELECT
    client_id,
    email_hash,
    coalesce(contact_hash, 0) AS contact_hash,
    (
        CASE state
            WHEN 'confirmed' THEN %(confirmed)s
            WHEN 'pending' THEN %(pending)s
            WHEN 'rejected' THEN %(rejected)s
            WHEN 'excluded' THEN %(excluded)s
            WHEN 'shared' THEN %(shared)s
        END
    )::smallint AS fate
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s
ORDER BY client_id;

-- confirmed_sample --
-- Addresses of the newest clients whose contact was confirmed before SendGrid's search could lag.
-- Index: ledger primary key
SELECT email FROM contact_sync.ledger
WHERE
    sync_id = %(sync_id)s
    AND state = 'confirmed'
    AND email IS NOT NULL
    AND updated_at < now() - make_interval(secs => %(seconds)s)
ORDER BY client_id DESC
LIMIT %(at_most)s;

-- rows_of_clients --
-- Of few clients. Index: ledger primary key
SELECT
    client_id,
    email_hash,
    coalesce(contact_hash, 0) AS contact_hash,
    (
        CASE state
            WHEN 'confirmed' THEN %(confirmed)s
            WHEN 'pending' THEN %(pending)s
            WHEN 'rejected' THEN %(rejected)s
            WHEN 'excluded' THEN %(excluded)s
            WHEN 'shared' THEN %(shared)s
        END
    )::smallint AS fate,
    coalesce(row_hash, 0) AS row_hash,
    filled
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND client_id = any(%(client_ids)s::bigint[])
ORDER BY client_id;

-- rows_of_range --
-- Of many clients, and perhaps of others between them. Index: ledger primary key
SELECT
    client_id,
    email_hash,
    coalesce(contact_hash, 0) AS contact_hash,
    (
        CASE state
            WHEN 'confirmed' THEN %(confirmed)s
            WHEN 'pending' THEN %(pending)s
            WHEN 'rejected' THEN %(rejected)s
            WHEN 'excluded' THEN %(excluded)s
            WHEN 'shared' THEN %(shared)s
        END
    )::smallint AS fate,
    coalesce(row_hash, 0) AS row_hash,
    filled
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND client_id BETWEEN %(first_id)s AND %(last_id)s
ORDER BY client_id;

-- create_fate --
-- Room for the clients that a slice doesn't send; row_hash NULL = unknown.
CREATE TEMPORARY TABLE fate (
    client_id bigint,
    state text,
    email_hash bigint,
    row_hash bigint,
    field text,
    reason text,
    detail text
) ON COMMIT DROP;

-- note_lost_addresses --
-- Another client represents this one's address: remember the contact that it filled. If that is
-- the shared one, the other client clears what it doesn't fill itself, however often it tries;
-- if it is a former one, it is removed
-- Parameters: sync_id; temporary table fate; runs before merge_fates, in the same transaction
-- Index: ledger primary key
INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id)
SELECT
    l.sync_id,
    l.email,
    l.contact_hash,
    l.client_id
FROM pg_temp.fate AS f
INNER JOIN contact_sync.ledger AS l
    ON l.sync_id = %(sync_id)s AND f.client_id = l.client_id
WHERE f.state = 'shared' AND l.email IS NOT NULL
ON CONFLICT (sync_id, email, list_id) DO NOTHING;

-- note_excluded_addresses --
-- Clients that are newly excluded: remember the contacts with their addresses, to be removed before
-- anything is sent
-- Parameters: sync_id; temporary table fate; runs before merge_fates, in the same transaction
-- The contact may be the client's own, or that of another client which had the address when it was confirmed last:
-- it has left it, or has it still and is excluded as well. Two clients may hold one address: after a job of unknown
-- fate the contact may be either one's.
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
)

INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id, why)
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
    client_id = excluded.client_id;

-- merge_fates --
-- Write the fates that need no call to SendGrid: rejected, excluded, shared, pending
-- Parameters: sync_id; temporary table
-- fate(client_id, state, email_hash, row_hash, field, reason, detail)
-- What SendGrid holds (email, contact_hash, filled) stays known, except for a client that lost a
-- shared address: another client represents it, and its own contact is noted for removal.
-- Index: ledger primary key
INSERT INTO contact_sync.ledger AS l (
    sync_id, client_id, state, email_hash, row_hash, field, reason, detail, tries, rejected_since,
    updated_at
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
    now()
FROM pg_temp.fate AS f
ON CONFLICT (sync_id, client_id) DO UPDATE SET
    state = excluded.state,
    email_hash = excluded.email_hash,
    row_hash = excluded.row_hash,
    email = CASE WHEN excluded.state = 'shared' THEN NULL ELSE l.email END,
    contact_hash = CASE WHEN excluded.state = 'shared' THEN NULL ELSE l.contact_hash END,
    field = excluded.field,
    tries = CASE WHEN excluded.state = 'rejected' THEN least(l.tries + 1, 32767) ELSE l.tries END,
    rejected_since = CASE
        WHEN excluded.state = 'rejected' THEN coalesce(l.rejected_since, excluded.rejected_since)
        WHEN excluded.state = 'pending' THEN l.rejected_since
    END,
    reason = excluded.reason,
    detail = excluded.detail,
    updated_at = excluded.updated_at;

-- create_gone --
-- Room for the clients of the ledger that a snapshot of B2CORE doesn't hold.
CREATE TEMPORARY TABLE gone (client_id bigint PRIMARY KEY) ON COMMIT DROP;

-- see_present --
-- Who is in B2CORE has been seen.
UPDATE contact_sync.ledger AS l
SET
    absent = 0,
    absent_run = NULL
WHERE
    l.sync_id = %(sync_id)s
    AND l.absent > 0
    AND NOT EXISTS (
        SELECT 1 FROM pg_temp.gone AS g
        WHERE g.client_id = l.client_id
    );

-- count_absences --
-- One more snapshot doesn't hold these clients; a repeated task counts once.
-- Parameters: enough = the least number of absences from now on
UPDATE contact_sync.ledger AS l
SET
    absent = greatest(least(l.absent + 1, 100), %(enough)s),
    absent_run = %(run_id)s
FROM pg_temp.gone AS g
WHERE
    l.sync_id = %(sync_id)s
    AND l.client_id = g.client_id
    AND l.absent_run IS DISTINCT FROM %(run_id)s;

-- read_removal_hashes --
-- Hashes of addresses whose contacts may exist although they are no client's.
SELECT email_hash
FROM contact_sync.removal
WHERE sync_id = %(sync_id)s AND why <> 'list_changed';

-- count_retiring --
-- How many contacts of absent clients this run is going to remove.
-- Parameters: client_ids; enough = absences before this run
SELECT count(DISTINCT contact_hash) AS n
FROM contact_sync.ledger
WHERE
    sync_id = %(sync_id)s
    AND client_id = any(%(client_ids)s)
    AND email IS NOT NULL
    AND absent - (absent_run IS NOT DISTINCT FROM %(run_id)s)::int >= %(enough)s;

-- count_listed --
-- How many clients have a contact.
SELECT count(*) AS n
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND email IS NOT NULL;

-- count_absent --
-- How many clients the last snapshots didn't hold.
-- Index: ledger_absent
SELECT count(*) AS n
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND absent > 0;

-- count_by_state --
-- How many clients have which fate, and how many there are; the confirmed ones are the rest.
-- Index: ledger_unconfirmed; the ledger's primary key
SELECT
    state,
    count(*) AS n
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND state <> 'confirmed'
GROUP BY state
UNION ALL
SELECT
    'all',
    count(*)
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s;

-- count_refused --
-- Clients that SendGrid refused in a run, by field, reason and detail.
-- Parameters: reasons = those of SendGrid's refusals
-- Index: ledger_rejected_reasons
SELECT
    l.field,
    l.reason,
    l.detail,
    count(*) AS n
FROM contact_sync.ledger AS l
INNER JOIN contact_sync.run AS r ON l.sync_id = r.sync_id
WHERE
    l.sync_id = %(sync_id)s
    AND r.run_id = %(run_id)s
    AND l.state = 'rejected'
    AND l.reason = any(%(reasons)s)
    AND l.updated_at >= r.started_at
GROUP BY l.field, l.reason, l.detail
ORDER BY n DESC, l.field ASC, l.reason ASC, l.detail ASC;

-- count_stale --
-- How many clients hold values at SendGrid that B2CORE emptied and nobody can clear.
-- Index: ledger_stale
SELECT count(*) AS n
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND stale <> 0;

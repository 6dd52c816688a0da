-- The ledger: each client's fate (state/ledger.py).

-- known_clients --
-- Read as Arrow, as the two below. Parameters: the numbers of fates and causes (base/client_life.py), and the reasons
-- that tell the causes apart. A hash is 0 where it is unknown.
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
    (
        CASE
            WHEN reason = %(excluded_address)s THEN %(by_address)s
            WHEN reason = %(suppressed_at_sendgrid)s THEN %(by_suppressed)s
            WHEN reason = any(%(reasons_of_sendgrid)s::text[]) THEN %(by_sendgrid)s
            WHEN reason = any(%(reasons_of_contact)s::text[]) THEN %(by_contact)s
            ELSE %(by_itself)s
        END
    )::smallint AS cause
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s
ORDER BY client_id;

-- confirmed_sample --
-- Addresses of the newest clients whose contact was confirmed before SendGrid's search could lag; also those that were
-- before the server's clock went back.
-- Index: ledger primary key
SELECT email FROM contact_sync.ledger
WHERE
    sync_id = %(sync_id)s
    AND state = 'confirmed'
    AND email IS NOT NULL
    AND abs(extract(EPOCH FROM now() - updated_at)) > %(seconds)s
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
    (
        CASE
            WHEN reason = %(excluded_address)s THEN %(by_address)s
            WHEN reason = %(suppressed_at_sendgrid)s THEN %(by_suppressed)s
            WHEN reason = any(%(reasons_of_sendgrid)s::text[]) THEN %(by_sendgrid)s
            WHEN reason = any(%(reasons_of_contact)s::text[]) THEN %(by_contact)s
            ELSE %(by_itself)s
        END
    )::smallint AS cause,
    coalesce(row_hash, 0) AS row_hash,
    filled,
    coalesce(person_hash, 0) AS person_hash,
    unconfirmed
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
    (
        CASE
            WHEN reason = %(excluded_address)s THEN %(by_address)s
            WHEN reason = %(suppressed_at_sendgrid)s THEN %(by_suppressed)s
            WHEN reason = any(%(reasons_of_sendgrid)s::text[]) THEN %(by_sendgrid)s
            WHEN reason = any(%(reasons_of_contact)s::text[]) THEN %(by_contact)s
            ELSE %(by_itself)s
        END
    )::smallint AS cause,
    coalesce(row_hash, 0) AS row_hash,
    filled,
    coalesce(person_hash, 0) AS person_hash,
    unconfirmed
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND client_id BETWEEN %(first_id)s AND %(last_id)s
ORDER BY client_id;

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

-- see_everybody --
-- The same when nobody is missing: no room has to be made for nobody.
UPDATE contact_sync.ledger
SET
    absent = 0,
    absent_run = NULL
WHERE
    sync_id = %(sync_id)s
    AND absent > 0;

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

-- count_chosen --
-- The same of some clients. Index: the ledger's primary key
SELECT
    state,
    count(*) AS n
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND client_id = any(%(client_ids)s::bigint[]) AND state <> 'confirmed'
GROUP BY state
UNION ALL
SELECT
    'all',
    count(*)
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND client_id = any(%(client_ids)s::bigint[]);

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

-- count_newly_rejected --
-- Clients that are rejected since a run began, and weren't before. Index: ledger_rejected_reasons
SELECT count(*) AS n
FROM contact_sync.ledger AS l
INNER JOIN contact_sync.run AS r ON l.sync_id = r.sync_id
WHERE l.sync_id = %(sync_id)s AND r.run_id = %(run_id)s AND l.state = 'rejected' AND l.rejected_since >= r.started_at;

-- count_having --
-- In how many contacts each field is filled. Parameters: bits = positions in `filled`
-- Index: none: one scan of the ledger
SELECT
    b.bit,
    count(l.client_id) AS n
FROM unnest(%(bits)s::int[]) AS b (bit)
LEFT JOIN contact_sync.ledger AS l
    ON l.sync_id = %(sync_id)s AND l.email IS NOT NULL AND (l.filled >> b.bit) & 1 = 1
GROUP BY b.bit;

-- count_stale --
-- How many clients hold values at SendGrid that B2CORE emptied and nobody can clear.
-- Index: ledger_stale
SELECT count(*) AS n
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND stale <> 0;

-- Contacts to be removed, and what became of them (state/removals.py).

-- removable_addresses --
-- Contacts to be removed whose address is no client's, in the source or at SendGrid; an excluded
-- client protects no address, nor does a client that has left an excluded one's; one that this run is
-- about to send does. Nobody protects the address of a client that is excluded now, nor the contact that an excluded
-- client has still: whoever is about to take the address over is sent afterwards, if at all, and an upsert may fail.
-- What this run has tried in vain waits for the next one, and what was often tried in vain for the next day
-- Parameters: sync_id, run_id, whys; enough = number of tries; rest_hours
-- Columns: email, list_id, why, others = the lists of other syncs that hold the contact, '' = no list
-- Index: none: three scans of the ledger, only when removal has rows
WITH noted AS (
    SELECT DISTINCT m.email_hash FROM contact_sync.removal AS m
    WHERE m.sync_id = %(sync_id)s AND NOT m.kept
),

elsewhere AS (
    SELECT
        h.contact_hash,
        array_agg(DISTINCT coalesce(s.destination #>> '{mapping,list_id}', '')) AS lists
    FROM contact_sync.address_holder AS h
    INNER JOIN contact_sync.sync AS s ON h.sync_id = s.sync_id
    WHERE h.sync_id <> %(sync_id)s AND h.contact_hash IN (SELECT n.email_hash FROM noted AS n)
    GROUP BY h.contact_hash
),

held AS (
    SELECT
        h.contact_hash,
        bool_or(h.email_hash = h.contact_hash) AS in_source
    FROM contact_sync.address_holder AS h
    WHERE h.sync_id = %(sync_id)s AND h.contact_hash IN (SELECT n.email_hash FROM noted AS n)
    GROUP BY h.contact_hash
),

needed AS (
    SELECT h.email_hash FROM contact_sync.address_holder AS h
    WHERE h.sync_id = %(sync_id)s AND h.email_hash IN (SELECT n.email_hash FROM noted AS n)
    UNION
    SELECT o.email_hash FROM contact_sync.staged_client AS o
    WHERE o.run_id = %(run_id)s AND o.email_hash IN (SELECT n.email_hash FROM noted AS n)
),

barred AS (
    SELECT DISTINCT x.email_hash FROM contact_sync.excluded_address AS x
    WHERE x.sync_id = %(sync_id)s AND x.email_hash IN (SELECT n.email_hash FROM noted AS n)
)

SELECT
    a.email,
    a.list_id,
    a.why,
    coalesce(e.lists, '{}') AS others
FROM contact_sync.removal AS a
LEFT JOIN elsewhere AS e ON a.email_hash = e.contact_hash
LEFT JOIN held AS h ON a.email_hash = h.contact_hash
LEFT JOIN needed AS n ON a.email_hash = n.email_hash
LEFT JOIN barred AS x ON a.email_hash = x.email_hash
LEFT JOIN contact_sync.ledger AS own
    ON a.sync_id = own.sync_id AND a.client_id = own.client_id AND a.email_hash = own.contact_hash
WHERE
    a.sync_id = %(sync_id)s
    AND a.why = any(%(whys)s)
    AND NOT a.kept
    AND (a.tries < %(enough)s OR a.tried_at < now() - make_interval(hours => %(rest_hours)s))
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.batch AS b
        WHERE b.batch_id = a.batch_id AND b.run_id = %(run_id)s
    )
    AND (
        a.why = 'list_changed'
        OR (a.why = 'excluded' AND (x.email_hash IS NOT NULL OR own.state = 'excluded'))
        OR (a.why = 'excluded' AND (h.contact_hash IS NULL OR NOT h.in_source))
        OR (n.email_hash IS NULL AND h.contact_hash IS NULL)
    )
ORDER BY a.why, a.list_id, a.email;

-- note_gone --
-- Contacts of clients that leave the ledger next: gone for certain, or of ids that another person has now. Who was
-- excluded before goes for that reason still
-- Parameters: sync_id; enough = number of absences, or client_ids; the other one is NULL
-- Index: ledger_absent, or ledger primary key
INSERT INTO contact_sync.removal AS m (sync_id, email, email_hash, client_id, why)
SELECT
    l.sync_id,
    l.email,
    l.contact_hash,
    max(l.client_id) AS client_id,
    'gone' AS why
FROM contact_sync.ledger AS l
WHERE
    l.sync_id = %(sync_id)s
    AND (l.absent >= %(enough)s OR l.client_id = any(%(client_ids)s::bigint[]))
    AND l.email IS NOT NULL
GROUP BY l.sync_id, l.email, l.contact_hash
ON CONFLICT (sync_id, email, list_id) DO UPDATE SET
    why = CASE WHEN m.why = 'excluded' THEN m.why ELSE excluded.why END,
    client_id = excluded.client_id;

-- retire_absent --
-- Clients that are gone for certain: their ledger rows end, and with them what is noted of their dropped values.
-- Parameters: sync_id, enough = number of absences
-- Index: ledger_absent, dropped_value primary key
WITH gone AS (
    DELETE FROM contact_sync.ledger
    WHERE sync_id = %(sync_id)s AND absent >= %(enough)s
    RETURNING
        sync_id,
        client_id
)

DELETE FROM contact_sync.dropped_value AS d
USING gone AS g
WHERE d.sync_id = g.sync_id AND d.client_id = g.client_id;

-- any_noted --
-- Whether anything is noted: most syncs have nothing, and the whole ledger is read to find out more.
-- Index: removal_noted
SELECT
    exists(
        SELECT 1 FROM contact_sync.removal
        WHERE sync_id = %(sync_id)s AND NOT kept
    ) AS found;

-- forget_taken --
-- Addresses that a client's confirmed contact has (again) need no removal, unless another client that is excluded now
-- has the address: then the confirmed one is gone from B2CORE. What is kept ends when the contact is confirmed
-- (confirming.forget_kept). Index: none: two scans of the ledger
WITH noted AS (
    SELECT DISTINCT m.email_hash FROM contact_sync.removal AS m
    WHERE m.sync_id = %(sync_id)s AND NOT m.kept
),

barred AS (
    SELECT DISTINCT x.email_hash FROM contact_sync.excluded_address AS x
    WHERE x.sync_id = %(sync_id)s AND x.email_hash IN (SELECT n.email_hash FROM noted AS n)
)

DELETE FROM contact_sync.removal AS a
USING contact_sync.ledger AS l
WHERE
    a.sync_id = %(sync_id)s
    AND NOT a.kept
    AND l.sync_id = a.sync_id
    AND l.contact_hash = a.email_hash
    AND l.state = 'confirmed'
    AND a.why <> 'list_changed'
    AND NOT (a.why = 'excluded' AND a.email_hash IN (SELECT x.email_hash FROM barred AS x));

-- plan --
-- These contacts are removed by a batch; one that is taken off a former list, by a batch of that list only.
-- Parameters: list_id, NULL = the batch is of lane delete
UPDATE contact_sync.removal
SET batch_id = %(batch_id)s
WHERE
    sync_id = %(sync_id)s
    AND email = any(%(emails)s)
    AND coalesce(list_id = %(list_id)s, FALSE) = (why = 'list_changed');

-- of_batch --
-- The addresses of a batch, for how many seconds each is known to be removed, and how often SendGrid has accepted its
-- removal and showed it all the same.
SELECT
    email,
    extract(EPOCH FROM now() - noted_at)::float AS seconds,
    tries
FROM contact_sync.removal
WHERE batch_id = %(batch_id)s;

-- lock_of_batch --
-- Those of the addresses that are still in the batch; they stay locked.
SELECT email
FROM contact_sync.removal
WHERE batch_id = %(batch_id)s AND email = any(%(emails)s)
FOR UPDATE;

-- move_to_batch --
-- Parameters: apart = the other batch
UPDATE contact_sync.removal SET batch_id = %(apart)s
WHERE batch_id = %(batch_id)s AND email = any(%(emails)s);

-- count_try --
-- SendGrid accepted the removal of these contacts and shows them all the same. Parameters: emails, NULL = all
UPDATE contact_sync.removal SET
    tries = least(tries + 1, 32767),
    tried_at = now()
WHERE batch_id = %(batch_id)s AND (%(emails)s::text[] IS NULL OR email = any(%(emails)s));

-- not_free --
-- Clients of a batch of upserts whose address has the contact of an excluded client still: this run has sent its
-- removal, and may overtake it. Parameters: batch_id, run_id. Index: outbox and batch primary keys, removal_by_hash
SELECT o.client_id
FROM contact_sync.batch_client AS o
INNER JOIN contact_sync.removal AS a
    ON o.sync_id = a.sync_id AND o.email_hash = a.email_hash
INNER JOIN contact_sync.batch AS b ON a.batch_id = b.batch_id
WHERE
    o.batch_id = %(batch_id)s
    AND a.why = 'excluded'
    AND NOT a.kept
    AND b.run_id = %(run_id)s
    AND (b.is_open OR b.outcome = 'still_shown')
ORDER BY o.client_id;

-- only_exclusions --
-- Whether all contacts of a batch go because their clients are excluded.
SELECT coalesce(bool_and(why = 'excluded'), FALSE) AS all_excluded
FROM contact_sync.removal
WHERE batch_id = %(batch_id)s;

-- count_in_vain --
-- How many contacts wait for another day, because so many removals changed nothing.
-- Parameters: enough = number of tries
SELECT count(*) AS n
FROM contact_sync.removal
WHERE sync_id = %(sync_id)s AND NOT kept AND tries >= %(enough)s;

-- see_off --
-- The excluded clients that have the addresses of a batch have no contact any more on the sync's list.
UPDATE contact_sync.ledger AS l
SET off_list = TRUE
FROM contact_sync.removal AS a
WHERE
    a.batch_id = %(batch_id)s
    AND a.why <> 'list_changed'
    AND l.sync_id = a.sync_id
    AND l.state = 'excluded'
    AND l.off_list IS NULL
    AND l.email_hash = a.email_hash;

-- postpone --
-- The removal didn't happen, or nobody knows.
UPDATE contact_sync.removal SET batch_id = NULL
WHERE batch_id = %(batch_id)s;

-- forget_deleted --
-- The contacts of a batch don't exist any more.
DELETE FROM contact_sync.removal
WHERE batch_id = %(batch_id)s;

-- forget_unlisted --
-- The contacts of a batch are off the list that their clients had before, or on which they never had a client.
DELETE FROM contact_sync.removal
WHERE batch_id = %(batch_id)s AND why IN ('list_changed', 'foreign');

-- release_contacts --
-- The contacts of a batch are no client's any more: excluded clients lose theirs. A client that was confirmed looks
-- moved, so that the next run looks at it. Who has lost the address keeps it as the former one: an opt-out of it is
-- carried over to the next address.
UPDATE contact_sync.ledger AS l
SET
    email = NULL,
    contact_hash = NULL,
    email_hash = CASE WHEN l.state = 'confirmed' THEN 0 ELSE l.email_hash END,
    row_hash = NULL,
    filled = 0,
    stale = 0
FROM contact_sync.removal AS a
WHERE
    a.batch_id = %(batch_id)s
    AND a.why <> 'address_lost'
    AND l.sync_id = a.sync_id
    AND l.client_id = a.client_id
    AND l.contact_hash = a.email_hash;

-- keep --
-- Never remove what is noted so far. The hash stays, so that whoever takes the address inherits no value of its former
-- owner; the address itself is forgotten: nothing needs it any more.
-- Parameters: whys of a sync, or batch_id; the other one is NULL
WITH done AS (
    DELETE FROM contact_sync.removal
    WHERE
        (
            batch_id = %(batch_id)s
            OR (sync_id = %(sync_id)s AND why = any(%(whys)s::text[]))
        )
        AND NOT kept
    RETURNING
        sync_id,
        email_hash,
        client_id,
        why
)

INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id, why, kept)
SELECT DISTINCT ON (sync_id, email_hash)
    sync_id,
    '#' || email_hash,
    email_hash,
    client_id,
    why,
    TRUE
FROM done
ON CONFLICT (sync_id, email, list_id) DO NOTHING;

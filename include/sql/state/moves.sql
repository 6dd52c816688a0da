-- What goes along from former contacts to new ones (state/moves.py).

-- movers --
-- Staged clients whose contact has another address than the one that they get, and, with former NULL, those that get
-- such an address. Index: outbox and ledger primary keys
WITH moved AS (
    SELECT
        o.client_id,
        l.contact_hash AS former_hash,
        l.email AS former,
        o.email
    FROM contact_sync.outbox AS o
    INNER JOIN contact_sync.ledger AS l
        ON l.sync_id = %(sync_id)s AND o.client_id = l.client_id
    WHERE o.run_id = %(run_id)s AND l.contact_hash <> o.email_hash
)

SELECT * FROM moved
UNION ALL
SELECT
    o.client_id,
    0,
    NULL,
    o.email
FROM contact_sync.outbox AS o
WHERE
    o.run_id = %(run_id)s
    AND o.email_hash IN (SELECT m.former_hash FROM moved AS m)
    AND o.client_id NOT IN (SELECT m.client_id FROM moved AS m)
ORDER BY client_id;

-- given_up --
-- Clients that another one represents now, with the contact that they had: it goes along to that of the other one.
-- Columns: as movers; client_id = the other one. Index: none, one scan of the ledger
SELECT
    coalesce(o.client_id, n.client_id) AS client_id,
    r.email_hash AS former_hash,
    r.email AS former,
    coalesce(o.email, n.email) AS email
FROM contact_sync.removal AS r
INNER JOIN contact_sync.ledger AS l ON r.sync_id = l.sync_id AND r.client_id = l.client_id AND l.state = 'shared'
LEFT JOIN contact_sync.outbox AS o ON o.run_id = %(run_id)s AND l.email_hash = o.email_hash
LEFT JOIN contact_sync.ledger AS n
    ON r.sync_id = n.sync_id AND l.email_hash = n.contact_hash AND n.state = 'confirmed'
WHERE
    r.sync_id = %(sync_id)s
    AND r.why = 'address_changed'
    AND NOT r.kept
    AND r.email_hash <> l.email_hash
    AND coalesce(o.client_id, n.client_id) IS NOT NULL
ORDER BY r.email;

-- unseen --
-- Clients whose former contact hasn't been seen yet; seconds = since when it is known.
SELECT
    client_id,
    former_hash,
    former,
    email,
    extract(EPOCH FROM now() - noted_at)::float AS seconds
FROM contact_sync.move
WHERE sync_id = %(sync_id)s AND belongings IS NULL
ORDER BY client_id;

-- other_destinations --
-- Of other syncs that hold one of these contacts: their lists and fields are theirs to fill.
-- Parameters: email_hashes. Index: none, one scan of the ledger
SELECT s.destination
FROM contact_sync.sync AS s
WHERE
    s.sync_id <> %(sync_id)s
    AND s.destination IS NOT NULL
    AND EXISTS (
        SELECT 1 FROM contact_sync.address_holder AS h
        WHERE h.sync_id = s.sync_id AND h.contact_hash = any(%(email_hashes)s)
    );

-- note --
-- What goes along with a client; belongings NULL = its former contact isn't seen yet.
INSERT INTO contact_sync.move AS m (sync_id, client_id, former_hash, former, email, belongings)
VALUES (%(sync_id)s, %(client_id)s, %(former_hash)s, %(former)s, %(email)s, %(belongings)s)
ON CONFLICT (sync_id, client_id, former_hash) DO UPDATE SET
    email = excluded.email,
    tries = 0,
    belongings = coalesce(excluded.belongings, m.belongings);

-- redirect --
-- Staged clients that have moved on before what they had went along: all of it goes to the newest address, and whom
-- they took the last one over from matters no more.
UPDATE contact_sync.move AS m SET
    email = o.email,
    belongings = m.belongings || '{"clears": [], "leaves": []}'
FROM contact_sync.outbox AS o
WHERE m.sync_id = %(sync_id)s AND o.run_id = %(run_id)s AND o.client_id = m.client_id AND o.email <> m.email;

-- give_way --
-- A value of a later contact of the client stands against that of an earlier one.
-- Parameters: names = of fields
UPDATE contact_sync.move SET
    belongings = jsonb_set(belongings, '{values}', (belongings -> 'values') - %(names)s::text[])
WHERE
    sync_id = %(sync_id)s
    AND client_id = %(client_id)s
    AND former_hash <> %(former_hash)s
    AND belongings IS NOT NULL;

-- forget_needless --
-- Nothing goes along to a client that is gone, excluded, or represented by another one, nor back to where it came from.
DELETE FROM contact_sync.move AS m
WHERE
    m.sync_id = %(sync_id)s
    AND (
        m.email = m.former
        OR (
            NOT EXISTS (
                SELECT 1 FROM contact_sync.outbox AS o
                WHERE o.run_id = %(run_id)s AND o.client_id = m.client_id
            )
            AND NOT EXISTS (
                SELECT 1 FROM contact_sync.ledger AS l
                WHERE
                    l.sync_id = m.sync_id
                    AND l.client_id = m.client_id
                    AND l.state NOT IN ('excluded', 'shared')
                    AND (l.state <> 'confirmed' OR l.email = m.email)
            )
        )
    );

-- forget_all --
DELETE FROM contact_sync.move
WHERE sync_id = %(sync_id)s;

-- forget --
-- The new contacts have it, or there is nothing. Parameters: client_ids, former_hashes = pairs
DELETE FROM contact_sync.move AS m
USING unnest(%(client_ids)s::bigint[], %(former_hashes)s::bigint[]) AS done (client_id, former_hash)
WHERE m.sync_id = %(sync_id)s AND m.client_id = done.client_id AND m.former_hash = done.former_hash;

-- any_noted --
SELECT
    exists(
        SELECT 1 FROM contact_sync.move
        WHERE sync_id = %(sync_id)s
    ) AS found;

-- ready --
-- What can go along now: the client is confirmed at the new address, and no batch carries it.
-- Parameters: batch_id = only of clients that this batch confirmed, NULL = of all
SELECT
    m.client_id,
    m.former_hash,
    m.email,
    m.tries,
    m.belongings -> 'lists' AS lists,
    length(m.belongings::text) AS size
FROM contact_sync.move AS m
INNER JOIN contact_sync.ledger AS l ON m.sync_id = l.sync_id AND m.client_id = l.client_id
WHERE
    m.sync_id = %(sync_id)s
    AND m.belongings IS NOT NULL
    AND l.state = 'confirmed'
    AND l.email = m.email
    AND (%(batch_id)s::bigint IS NULL OR l.batch_id = %(batch_id)s)
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.batch AS b
        WHERE b.batch_id = m.batch_id AND b.is_open
    )
ORDER BY m.client_id, m.noted_at;

-- create_batch --
-- Parameters: root_id = the batch that confirmed the clients, NULL = it is planned by itself
INSERT INTO contact_sync.batch (run_id, sync_id, lane, contacts, root_id)
VALUES (%(run_id)s, %(sync_id)s, 'move', %(contacts)s, %(root_id)s)
RETURNING batch_id;

-- take --
-- Parameters: client_ids, former_hashes = pairs
UPDATE contact_sync.move AS m SET batch_id = %(batch_id)s
FROM unnest(%(client_ids)s::bigint[], %(former_hashes)s::bigint[]) AS taken (client_id, former_hash)
WHERE m.sync_id = %(sync_id)s AND m.client_id = taken.client_id AND m.former_hash = taken.former_hash;

-- of_batch --
-- What a batch carries, the oldest first.
SELECT
    client_id,
    former_hash,
    email,
    tries,
    belongings
FROM contact_sync.move
WHERE batch_id = %(batch_id)s
ORDER BY noted_at, client_id;

-- not_seen --
-- It was sent, and isn't seen at the new contacts; or it was refused.
UPDATE contact_sync.move SET
    tries = least(tries + 1, 32767),
    batch_id = NULL
WHERE batch_id = %(batch_id)s;

-- waiting_removals --
-- Addresses of a removal's batch that wait, because what their contact holds isn't seen at the new one.
-- Columns: email, unseen = the contact itself hasn't been seen
SELECT
    r.email,
    bool_or(m.belongings IS NULL) AS unseen
FROM contact_sync.removal AS r
INNER JOIN contact_sync.move AS m ON r.sync_id = m.sync_id AND r.email = m.former
WHERE r.batch_id = %(batch_id)s AND r.why = 'address_changed'
GROUP BY r.email;

-- count_open --
-- Clients whose belongings aren't at their new contact yet.
SELECT count(DISTINCT client_id) AS n
FROM contact_sync.move
WHERE sync_id = %(sync_id)s AND belongings IS NOT NULL;

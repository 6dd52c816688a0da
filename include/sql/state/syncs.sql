-- A sync gets another name (state/syncs.py).

-- lock_sync --
-- clients: whether it has any in the ledger. The row stays locked, so that no run begins meanwhile.
SELECT
    s.sync_id,
    s.lease_holder,
    coalesce(s.lease_until > now(), FALSE) AS is_taken,
    exists(
        SELECT 1 FROM contact_sync.ledger AS l
        WHERE l.sync_id = s.sync_id
    ) AS has_clients
FROM contact_sync.sync AS s
WHERE s.name = %(name)s
FOR UPDATE;

-- rename_sync --
UPDATE contact_sync.sync SET name = %(name)s
WHERE sync_id = %(sync_id)s;

-- sync_names --
SELECT name FROM contact_sync.sync
ORDER BY name;

-- lock_named --
-- Columns: as of lock_sync, without a look at the ledger.
SELECT
    s.sync_id,
    s.lease_holder,
    coalesce(s.lease_until > now(), FALSE) AS is_taken
FROM contact_sync.sync AS s
WHERE s.name = %(name)s
FOR UPDATE;

-- known --
-- Every sync that has run, by name. clients: in its ledger; contacts: of those, with a contact that is known.
-- One scan of the ledger
SELECT
    s.name,
    coalesce(l.clients, 0) AS clients,
    coalesce(l.contacts, 0) AS contacts,
    (
        SELECT count(*) FROM contact_sync.run AS r
        WHERE r.sync_id = s.sync_id
    ) AS runs,
    (
        SELECT r.started_at FROM contact_sync.run AS r
        WHERE r.sync_id = s.sync_id
        ORDER BY r.run_id DESC
        LIMIT 1
    ) AS last_run_at,
    CASE WHEN s.lease_until > now() THEN s.lease_holder END AS holder
FROM contact_sync.sync AS s
LEFT JOIN (
    SELECT
        sync_id,
        count(*) AS clients,
        count(email) AS contacts
    FROM contact_sync.ledger
    GROUP BY sync_id
) AS l ON s.sync_id = l.sync_id
ORDER BY s.name;

-- forsaken --
-- Contacts of syncs that no definition belongs to and that fill this list or, without one, this account. Parameters:
-- defined = the names of all definitions, list_id = the list or NULL, key_mark = of the account's key
SELECT
    s.name,
    count(*) AS contacts
FROM contact_sync.sync AS s
INNER JOIN contact_sync.ledger AS l ON s.sync_id = l.sync_id
WHERE
    NOT s.name = any(%(defined)s)
    AND l.email IS NOT NULL
    AND s.destination #>> '{mapping,list_id}' IS NOT DISTINCT FROM %(list_id)s
    AND (%(list_id)s::text IS NOT NULL OR s.destination ->> 'key_mark' = %(key_mark)s)
GROUP BY s.name
ORDER BY s.name;

-- undefined --
-- Syncs that no definition belongs to. Parameters: defined = the names of all definitions
SELECT s.name
FROM contact_sync.sync AS s
WHERE NOT s.name = any(%(defined)s)
ORDER BY s.name;

-- restraints --
-- Contacts that a sync would remove, and that stay, or stay off its list, only because a sync without a definition has
-- them, by that sync. Removals by policy: those that are to be deleted, and those that are to be taken off the list.
-- Parameters: sync_id, defined, here = the sync's list or NULL, deletes and unlists = reasons of removals
-- Index: none: scans of the ledger, only where a sync has no definition
SELECT
    s.name,
    count(DISTINCT m.email_hash) AS n
FROM contact_sync.removal AS m
INNER JOIN contact_sync.address_holder AS h ON m.email_hash = h.contact_hash AND m.sync_id <> h.sync_id
INNER JOIN contact_sync.sync AS s ON h.sync_id = s.sync_id
WHERE
    m.sync_id = %(sync_id)s
    AND NOT s.name = any(%(defined)s)
    AND (
        m.why = any(%(deletes)s)
        OR (
            m.why = any(%(unlists)s)
            AND m.why <> 'excluded'
            AND coalesce(s.destination #>> '{mapping,list_id}' = %(here)s, %(here)s IS NULL)
        )
        OR (m.why = 'list_changed' AND s.destination #>> '{mapping,list_id}' = m.list_id)
    )
    AND NOT EXISTS (
        SELECT 1
        FROM contact_sync.address_holder AS o
        INNER JOIN contact_sync.sync AS d ON o.sync_id = d.sync_id
        WHERE o.contact_hash = m.email_hash AND o.sync_id <> m.sync_id AND d.name = any(%(defined)s)
    )
GROUP BY s.name
ORDER BY s.name;

-- belongings --
-- What the state database has of a sync. alone: contacts that no other sync has; open: batches whose outcome isn't
-- known. Scans of the ledger
SELECT
    (
        SELECT count(*) FROM contact_sync.ledger AS l
        WHERE l.sync_id = %(sync_id)s
    ) AS clients,
    (
        SELECT count(*) FROM contact_sync.ledger AS l
        WHERE l.sync_id = %(sync_id)s AND l.email IS NOT NULL
    ) AS contacts,
    (
        SELECT count(*) FROM contact_sync.ledger AS l
        WHERE
            l.sync_id = %(sync_id)s
            AND l.email IS NOT NULL
            AND NOT EXISTS (
                SELECT 1 FROM contact_sync.ledger AS o
                WHERE o.contact_hash = l.contact_hash AND o.sync_id <> l.sync_id
            )
    ) AS alone,
    (
        SELECT count(*) FROM contact_sync.removal AS m
        WHERE m.sync_id = %(sync_id)s AND NOT m.kept
    ) AS removals,
    (
        SELECT count(*) FROM contact_sync.run AS r
        WHERE r.sync_id = %(sync_id)s
    ) AS runs,
    (
        SELECT count(*) FROM contact_sync.batch AS b
        WHERE b.sync_id = %(sync_id)s AND b.is_open AND b.state NOT IN ('staged', 'created')
    ) AS open;

-- reopen_removals --
-- Contacts that other syncs took off their lists and didn't delete, because this sync has them, are to be removed
-- again: their definitions say how. Their addresses were forgotten; this sync's ledger has them.
WITH stayed AS (
    SELECT
        m.sync_id,
        m.email,
        m.list_id,
        l.email AS address
    FROM contact_sync.removal AS m
    INNER JOIN contact_sync.ledger AS l ON m.email_hash = l.contact_hash
    WHERE
        l.sync_id = %(sync_id)s
        AND l.email IS NOT NULL
        AND m.sync_id <> %(sync_id)s
        AND m.kept
        AND NOT EXISTS (
            SELECT 1 FROM contact_sync.removal AS o
            WHERE o.sync_id = m.sync_id AND o.email = l.email AND o.list_id = m.list_id
        )
)

UPDATE contact_sync.removal AS m SET
    email = s.address,
    kept = FALSE,
    batch_id = NULL
FROM stayed AS s
WHERE
    m.sync_id = s.sync_id
    AND m.email = s.email
    AND m.list_id = s.list_id;

-- note_unfinished_erasures --
UPDATE contact_sync.erasure AS e SET
    cause = 'The sync was forgotten before the erasure was finished: look for the person in SendGrid''s UI'
FROM contact_sync.erasure_part AS p
WHERE p.erasure_id = e.erasure_id AND p.sync_id = %(sync_id)s;

-- forget_erasures --
-- What was left to do, with its addresses; tombstones and records stay.
DELETE FROM contact_sync.erasure_part
WHERE sync_id = %(sync_id)s;

-- forget_ledger --
DELETE FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s;

-- forget_removals --
DELETE FROM contact_sync.removal
WHERE sync_id = %(sync_id)s;

-- forget_moves --
DELETE FROM contact_sync.move
WHERE sync_id = %(sync_id)s;

-- forget_refused_values --
DELETE FROM contact_sync.refused_value
WHERE sync_id = %(sync_id)s;

-- forget_dropped_values --
DELETE FROM contact_sync.dropped_value
WHERE sync_id = %(sync_id)s;

-- forget_identity --
DELETE FROM contact_sync.state_identity
WHERE sync_id = %(sync_id)s;

-- forget_verifications --
-- Their findings go with them.
DELETE FROM contact_sync.verification
WHERE sync_id = %(sync_id)s;

-- forget_suppressions --
DELETE FROM contact_sync.suppression
WHERE sync_id = %(sync_id)s;

-- forget_suppression_readings --
DELETE FROM contact_sync.suppression_reading
WHERE sync_id = %(sync_id)s;

-- forget_suppressions_due --
DELETE FROM contact_sync.suppression_due
WHERE sync_id = %(sync_id)s;

-- forget_outbox --
DELETE FROM contact_sync.outbox AS o
USING contact_sync.run AS r
WHERE r.sync_id = %(sync_id)s AND o.run_id = r.run_id;

-- forget_batches --
DELETE FROM contact_sync.batch
WHERE sync_id = %(sync_id)s;

-- forget_runs --
-- Their slices and what they staged in blocks go with them.
DELETE FROM contact_sync.run
WHERE sync_id = %(sync_id)s;

-- forget_sync --
DELETE FROM contact_sync.sync
WHERE sync_id = %(sync_id)s;

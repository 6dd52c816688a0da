-- Excluded clients whose address may have a contact that no run has sent (state/exclusions.py).

-- to_look_up --
-- Excluded clients whose address nobody has looked up since they are excluded, and whose contact isn't noted for
-- removal already; at_most of them. Index: ledger_unseen
SELECT
    l.client_id,
    l.email_hash
FROM contact_sync.ledger AS l
WHERE
    l.sync_id = %(sync_id)s
    AND l.state = 'excluded'
    AND l.off_list IS NULL
    AND l.email_hash <> 0
    AND l.absent = 0
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.removal AS a
        WHERE a.sync_id = l.sync_id AND a.email_hash = l.email_hash AND a.why = 'excluded' AND NOT a.kept
    )
ORDER BY l.email_hash, l.client_id
LIMIT %(at_most)s;

-- note_found --
-- A look-up has found the contact of an excluded client where it may not be.
INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id, why)
VALUES (%(sync_id)s, %(email)s, %(email_hash)s, %(client_id)s, 'excluded')
ON CONFLICT (sync_id, email, list_id) DO UPDATE SET
    why = excluded.why,
    client_id = excluded.client_id,
    noted_at = excluded.noted_at;

-- leave_former_lists --
-- The contacts that have to go from the sync's list, because their clients are excluded, have stayed on these lists
-- that the sync had before. Parameters: sync_id, lists
INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id, why, list_id)
SELECT
    a.sync_id,
    a.email,
    a.email_hash,
    a.client_id,
    'list_changed',
    f.list_id
FROM contact_sync.removal AS a
CROSS JOIN unnest(%(lists)s::text[]) AS f (list_id)
WHERE a.sync_id = %(sync_id)s AND a.why = 'excluded' AND NOT a.kept
ON CONFLICT (sync_id, email, list_id) DO NOTHING;

-- see --
-- What a look-up of these addresses of excluded clients has shown: off_list = true, they have no contact that would
-- have to go; false, SendGrid doesn't search them. Index: ledger_unseen
UPDATE contact_sync.ledger
SET off_list = %(off_list)s
WHERE
    sync_id = %(sync_id)s
    AND state = 'excluded'
    AND email_hash = any(%(email_hashes)s)
    AND off_list IS NULL;

-- forget_looks --
-- The sync has another list: what was seen was of the former one. Whom a person has removed nobody looks up. Index:
-- none, one scan of the ledger
UPDATE contact_sync.ledger
SET off_list = NULL
WHERE
    sync_id = %(sync_id)s
    AND state = 'excluded'
    AND reason <> 'removed_by_hand'
    AND off_list IS NOT NULL;

-- count_open --
-- How many addresses of excluded clients may still have a contact that has to go: noted and not removed, or not looked
-- up. unsearchable: those that SendGrid doesn't search. Index: ledger_unseen
SELECT
    (
        SELECT count(*) FROM contact_sync.removal AS a
        WHERE a.sync_id = %(sync_id)s AND a.why = 'excluded' AND NOT a.kept
    ) + (
        SELECT count(DISTINCT l.email_hash) FROM contact_sync.ledger AS l
        WHERE
            l.sync_id = %(sync_id)s
            AND l.state = 'excluded'
            AND l.off_list IS NULL
            AND l.email_hash <> 0
            AND l.absent = 0
            AND NOT EXISTS (
                SELECT 1 FROM contact_sync.removal AS a
                WHERE a.sync_id = l.sync_id AND a.email_hash = l.email_hash AND a.why = 'excluded' AND NOT a.kept
            )
    ) AS n,
    (
        SELECT count(*) FROM contact_sync.ledger AS l
        WHERE l.sync_id = %(sync_id)s AND l.state = 'excluded' AND l.off_list = FALSE
    ) AS unsearchable;

-- Lists that the sync filled before it had another one (state/former_lists.py).

-- former_lists --
-- Lists that earlier runs put contacts on: the one of the last run that succeeded, and those of
-- later runs that sent something and then failed
-- Parameters: sync_id, run_id = the present run
-- Columns: list_id
-- Index: run_by_sync, batch_by_run
SELECT DISTINCT r.destination #>> '{mapping,list_id}' AS list_id
FROM contact_sync.run AS r
WHERE
    r.sync_id = %(sync_id)s
    AND r.run_id < %(run_id)s
    AND NOT r.dry_run
    AND r.destination #>> '{mapping,list_id}' IS NOT NULL
    AND r.run_id >= coalesce(
        (
            SELECT max(s.run_id) FROM contact_sync.run AS s
            WHERE
                s.sync_id = %(sync_id)s
                AND s.run_id < %(run_id)s
                AND s.state = 'succeeded'
                AND NOT s.dry_run
        ),
        0
    )
    AND (
        r.state = 'succeeded'
        OR EXISTS (
            SELECT 1 FROM contact_sync.batch AS b
            WHERE
                b.run_id = r.run_id
                AND b.lane IN ('json', 'csv')
                AND b.state NOT IN ('staged', 'void')
        )
    );

-- note_listed_addresses --
-- The sync has another list than before: every contact of a client is to be taken off the former one
-- Parameters: sync_id, list_id = the former list
-- Index: none, one scan of the ledger
INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id, why, list_id)
SELECT
    l.sync_id,
    l.email,
    l.contact_hash,
    l.client_id,
    'list_changed',
    %(list_id)s
FROM contact_sync.ledger AS l
WHERE l.sync_id = %(sync_id)s AND l.email IS NOT NULL
ON CONFLICT (sync_id, email, list_id) DO NOTHING;

-- stay_on_list --
-- Nobody is taken off a list any more for not being the sync's.
DELETE FROM contact_sync.removal
WHERE sync_id = %(sync_id)s AND why = 'list_changed' AND list_id = %(list_id)s;

-- Purpose:    lists that earlier runs put contacts on: the one of the last run that succeeded, and those of
--             later runs that sent something and then failed
-- Parameters: sync_id, run_id = the present run
-- Columns:    list_id
-- Index:      run_by_sync, batch_by_run
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
    )

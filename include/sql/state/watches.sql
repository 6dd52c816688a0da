-- The watch of a sync whose runs begin with changes in B2CORE (state/watches.py).

-- standing --
-- What a watch compares with: what the last finished run read, whether a run is at work, and the newest run.
SELECT
    s.watermark,
    coalesce(s.lease_until > now(), FALSE) AS is_held,
    coalesce((
        SELECT max(r.run_id) FROM contact_sync.run AS r
        WHERE r.sync_id = s.sync_id
    ), 0) AS newest_run
FROM contact_sync.sync AS s
WHERE s.name = %(name)s;

-- note --
-- has_moved: with this look a run begins. Nothing is written before the sync's first run.
INSERT INTO contact_sync.watch AS w (sync_id, state, why, detail, moved_at, tables)
SELECT
    s.sync_id,
    %(state)s,
    %(why)s,
    %(detail)s,
    CASE WHEN %(has_moved)s THEN now() END,
    %(tables)s::text[]
FROM contact_sync.sync AS s
WHERE s.name = %(name)s
ON CONFLICT (sync_id) DO UPDATE SET
    state = excluded.state,
    why = excluded.why,
    detail = excluded.detail,
    looked_at = excluded.looked_at,
    moved_at = coalesce(excluded.moved_at, w.moved_at),
    tables = CASE WHEN excluded.moved_at IS NULL THEN w.tables ELSE excluded.tables END;

-- watched --
SELECT
    s.name,
    w.state,
    w.why,
    w.detail,
    w.looked_at,
    w.moved_at,
    w.tables
FROM contact_sync.watch AS w
INNER JOIN contact_sync.sync AS s ON w.sync_id = s.sync_id
WHERE s.name = any(%(names)s);

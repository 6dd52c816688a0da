-- Held clients are those of each sync's newest run: it is looked up once, not for each absent client of any run.
CREATE OR REPLACE VIEW contact_sync.to_do AS
SELECT
    sync_id,
    client_id,
    'rejected' AS what,
    field,
    reason,
    detail,
    rejected_since AS since,
    tries::integer AS tries
FROM contact_sync.ledger
WHERE state = 'rejected'
UNION ALL
SELECT
    sync_id,
    client_id,
    'dropped' AS what,
    field,
    reason,
    NULL AS detail,
    since,
    NULL AS tries
FROM contact_sync.dropped_value
UNION ALL
SELECT
    sync_id,
    client_id,
    'excluded' AS what,
    NULL AS field,
    reason,
    detail,
    updated_at AS since,
    NULL AS tries
FROM contact_sync.ledger
WHERE state = 'excluded'
UNION ALL
SELECT
    l.sync_id,
    l.client_id,
    'stale' AS what,
    f.name AS field,
    NULL AS reason,
    NULL AS detail,
    l.updated_at AS since,
    NULL AS tries
FROM contact_sync.ledger AS l
INNER JOIN contact_sync.sync AS s ON l.sync_id = s.sync_id
CROSS JOIN LATERAL unnest(s.fields) WITH ORDINALITY AS f (name, position)
WHERE l.stale <> 0 AND (l.stale >> (f.position - 1)::int) & 1 = 1
UNION ALL
SELECT
    s.sync_id,
    c.client_id,
    'held' AS what,
    NULL AS field,
    NULL AS reason,
    NULL AS detail,
    r.started_at AS since,
    NULL AS tries
FROM contact_sync.sync AS s
CROSS JOIN
    LATERAL (
        SELECT
            n.run_id,
            n.started_at,
            n.snapshot
        FROM contact_sync.run AS n
        WHERE n.sync_id = s.sync_id AND n.state = 'succeeded' AND NOT n.dry_run AND n.only_clients IS NULL
        ORDER BY n.run_id DESC
        LIMIT 1
    ) AS r
INNER JOIN contact_sync.change AS c ON r.run_id = c.run_id
WHERE c.kind = 'absent' AND (r.snapshot ->> 'held')::integer > 0;

-- state/for_people/syncs.py; only reads.

-- sync_rows --
-- destination: of the last finished run, else of the newest one that has one.
SELECT
    s.name,
    s.sync_id,
    s.fields,
    now() AS now,
    (s.watermark ->> 'read_at')::timestamptz AS read_at,
    CASE WHEN s.lease_until > now() THEN s.lease_holder END AS holder,
    coalesce(
        s.destination,
        (
            SELECT r.destination FROM contact_sync.run AS r
            WHERE r.sync_id = s.sync_id AND r.destination IS NOT NULL
            ORDER BY r.run_id DESC
            LIMIT 1
        )
    ) AS destination
FROM contact_sync.sync AS s
WHERE s.name = any(%(names)s);

-- state/for_people/waits.py; only reads.

-- waits_of_sync --
-- Why a sync's run waits. Columns: those of the class StateSide but for the run's own.
-- Index: batch_unknown, batch_open
SELECT
    now() AS now,
    CASE WHEN s.lease_until > now() THEN s.lease_holder END AS holder,
    CASE WHEN s.lease_until > now() THEN s.lease_until END AS lease_until,
    greatest(
        (
            SELECT max(b.fate_unknown_at) FROM contact_sync.batch AS b
            WHERE b.sync_id = s.sync_id
        ),
        CASE WHEN s.has_forgotten THEN s.unproven_since END
    ) AS unknown_at,
    earlier.jobs AS earlier_jobs,
    earlier.sent_at AS earlier_sent_at
FROM contact_sync.sync AS s
CROSS JOIN
    LATERAL (
        SELECT
            count(*) AS jobs,
            max(b.submitted_at) AS sent_at
        FROM contact_sync.batch AS b
        WHERE
            b.sync_id = s.sync_id AND b.is_open AND b.state IN ('submitted', 'uploading')
            AND b.run_id IS DISTINCT FROM %(run_id)s
    ) AS earlier
WHERE s.name = %(name)s;

-- waits_of_run --
-- Columns: the others of StateSide. Index: run primary key, batch_by_run
SELECT
    r.waits_until,
    r.waits_why,
    r.destination IS NULL AND NOT r.dry_run AS is_settling,
    r.read_at,
    (
        SELECT min(b.submitted_at) FROM contact_sync.batch AS b
        WHERE b.run_id = r.run_id
    ) AS sent_at
FROM contact_sync.run AS r
WHERE r.run_id = %(run_id)s;

-- How many rows each client had, to find whose were deleted (state/row_counts.py).

-- newest --
-- The newest count of a run that has succeeded, and how many clients runs have looked at since, whether these succeeded
-- or not. Index: row_count primary key, looked_at primary key
SELECT
    c.run_id,
    r.kind <> 'incremental' AS of_everybody,
    (
        SELECT coalesce(sum(cardinality(l.client_ids)), 0) FROM contact_sync.looked_at AS l
        WHERE l.sync_id = c.sync_id AND l.run_id >= c.run_id
    )::int AS looked_at
FROM contact_sync.row_count AS c
INNER JOIN contact_sync.run AS r ON c.run_id = r.run_id
WHERE c.sync_id = %(sync_id)s AND c.run_id < %(run_id)s AND r.state = 'succeeded'
ORDER BY c.run_id DESC
LIMIT 1;

-- read --
-- Index: row_count primary key
SELECT counted FROM contact_sync.row_count
WHERE sync_id = %(sync_id)s AND run_id = %(run_id)s;

-- looked_at_since --
-- Index: looked_at primary key
SELECT DISTINCT unnest(client_ids) AS client_id
FROM contact_sync.looked_at
WHERE sync_id = %(sync_id)s AND run_id >= %(run_id)s;

-- kept --
-- All that were counted, of whichever run. Index: row_count primary key
SELECT
    run_id,
    counted
FROM contact_sync.row_count
WHERE sync_id = %(sync_id)s;

-- save --
-- A repeated task replaces what it has counted.
INSERT INTO contact_sync.row_count (sync_id, run_id, counted)
VALUES (%(sync_id)s, %(run_id)s, %(counted)s)
ON CONFLICT (sync_id, run_id) DO UPDATE SET counted = excluded.counted;

-- forget_own --
-- What an earlier try of the task has counted. Index: row_count primary key
DELETE FROM contact_sync.row_count
WHERE sync_id = %(sync_id)s AND run_id = %(run_id)s;

-- note_looked_at --
-- Whom this run looks at, and whom an earlier try of the task looked at; of a sync whose rows are counted.
INSERT INTO contact_sync.looked_at AS l (sync_id, run_id, client_ids)
SELECT
    %(sync_id)s,
    %(run_id)s,
    %(client_ids)s::bigint[]
WHERE
    EXISTS (
        SELECT 1 FROM contact_sync.row_count
        WHERE sync_id = %(sync_id)s
    )
ON CONFLICT (sync_id, run_id) DO UPDATE SET client_ids = l.client_ids || excluded.client_ids;

-- forget_older --
-- What is superfluous once this run has succeeded: if it has counted, or has compared everybody without counting.
-- Parameters: everyone = it has compared everybody
WITH own AS (
    SELECT 1 FROM contact_sync.row_count
    WHERE sync_id = %(sync_id)s AND run_id = %(run_id)s
),

looked AS (
    DELETE FROM contact_sync.looked_at AS l
    WHERE l.sync_id = %(sync_id)s AND l.run_id < %(run_id)s AND (%(everyone)s OR EXISTS (SELECT 1 FROM own))
)

DELETE FROM contact_sync.row_count AS c
WHERE c.sync_id = %(sync_id)s AND c.run_id < %(run_id)s AND (%(everyone)s OR EXISTS (SELECT 1 FROM own));

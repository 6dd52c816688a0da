-- How many rows each client had, to find whose were deleted (state/row_counts.py).

-- newest --
-- The newest count of a run that has succeeded, and how many clients runs have looked at since, whether these succeeded
-- or not. Index: row_count primary key, looked_at primary key
SELECT
    c.run_id,
    (
        SELECT coalesce(sum(cardinality(l.client_ids)), 0) FROM contact_sync.looked_at AS l
        WHERE l.sync_id = c.sync_id AND l.run_id > c.run_id
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
WHERE sync_id = %(sync_id)s AND run_id > %(run_id)s;

-- save --
-- A repeated task replaces what it has counted.
INSERT INTO contact_sync.row_count (sync_id, run_id, counted)
VALUES (%(sync_id)s, %(run_id)s, %(counted)s)
ON CONFLICT (sync_id, run_id) DO UPDATE SET counted = excluded.counted;

-- note_looked_at --
-- Whom this run looks at; whom an earlier try of the task looked at, too.
INSERT INTO contact_sync.looked_at AS l (sync_id, run_id, client_ids)
VALUES (%(sync_id)s, %(run_id)s, %(client_ids)s)
ON CONFLICT (sync_id, run_id) DO UPDATE SET client_ids = l.client_ids || excluded.client_ids;

-- forget_older --
-- What the count of this run, which succeeds, makes superfluous.
WITH newer AS (
    SELECT run_id FROM contact_sync.row_count
    WHERE sync_id = %(sync_id)s AND run_id = %(run_id)s
),

looked AS (
    DELETE FROM contact_sync.looked_at AS l
    USING newer AS n
    WHERE l.sync_id = %(sync_id)s AND l.run_id < n.run_id
)

DELETE FROM contact_sync.row_count AS c
USING newer AS n
WHERE c.sync_id = %(sync_id)s AND c.run_id < n.run_id;

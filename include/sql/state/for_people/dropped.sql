-- state/for_people/dropped.py; only reads.

-- count_dropped_reasons --
-- Index: dropped_value_reasons
SELECT
    field,
    reason,
    count(*) AS n
FROM contact_sync.dropped_value
WHERE sync_id = %(sync_id)s
GROUP BY field, reason
ORDER BY n DESC, field ASC, reason ASC
LIMIT %(at_most)s;

-- dropped_values --
-- From the one that comes after client `after` and its field `after_field`; after: null = from the first; field,
-- reason: null = any. The planner knows the values, drops the conditions that don't apply, and chooses the index.
-- Index: dropped_value_reasons, else dropped_value primary key; client_key primary key
SELECT
    d.client_id,
    k.client_key,
    d.field,
    d.reason,
    d.since
FROM contact_sync.dropped_value AS d
LEFT JOIN contact_sync.client_key AS k ON d.sync_id = k.sync_id AND d.client_id = k.client_id
WHERE
    d.sync_id = %(sync_id)s
    AND (%(after)s::bigint IS NULL OR (d.client_id, d.field) > (%(after)s::bigint, %(after_field)s))
    AND (%(field)s::text IS NULL OR d.field = %(field)s)
    AND (%(reason)s::text IS NULL OR d.reason = %(reason)s)
ORDER BY d.client_id, d.field
LIMIT %(at_most)s;

-- dropped_of_client --
-- Index: dropped_value primary key
SELECT
    client_id,
    NULL::text AS client_key,
    field,
    reason,
    since
FROM contact_sync.dropped_value
WHERE sync_id = %(sync_id)s AND client_id = %(client_id)s;

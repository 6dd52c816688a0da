-- state/for_people/to_do.py; only reads.

-- reasons --
-- Index: ledger_unconfirmed, ledger_stale, dropped_value primary key
SELECT
    what,
    field,
    reason,
    detail,
    count(*) AS n,
    min(since) AS since,
    max(tries) AS tries
FROM contact_sync.to_do
WHERE sync_id = %(sync_id)s
GROUP BY what, field, reason, detail
ORDER BY n DESC, what ASC, field ASC, reason ASC, detail ASC
LIMIT %(at_most)s;

-- clients --
-- From the row after `after_id`, `after_what`, `after_field`; what, field, reason, detail: null = any.
SELECT
    t.client_id,
    k.client_key,
    t.what,
    t.field,
    t.reason,
    t.detail,
    t.since,
    l.updated_at AS last,
    t.tries
FROM contact_sync.to_do AS t
LEFT JOIN contact_sync.client_key AS k ON t.sync_id = k.sync_id AND t.client_id = k.client_id
LEFT JOIN contact_sync.ledger AS l
    ON t.sync_id = l.sync_id AND t.client_id = l.client_id AND t.what = 'rejected'
WHERE
    t.sync_id = %(sync_id)s
    AND (
        %(after_id)s::bigint IS NULL
        OR (t.client_id, t.what, coalesce(t.field, ''))
        > (%(after_id)s::bigint, %(after_what)s::text, %(after_field)s::text)
    )
    AND (%(what)s::text IS NULL OR t.what = %(what)s)
    AND (%(field)s::text IS NULL OR t.field = %(field)s)
    AND (%(reason)s::text IS NULL OR t.reason = %(reason)s)
    AND (%(detail)s::text IS NULL OR t.detail = %(detail)s)
ORDER BY t.client_id, t.what, coalesce(t.field, '')
LIMIT %(at_most)s;

-- history --
-- The newest runs that changed each client, at most five. Index: change_by_client
SELECT
    c.client_id,
    (array_agg(DISTINCT c.run_id ORDER BY c.run_id DESC))[1:5] AS run_ids
FROM contact_sync.change AS c
INNER JOIN contact_sync.run AS r ON c.run_id = r.run_id
WHERE c.sync_id = %(sync_id)s AND c.client_id = any(%(client_ids)s::bigint[]) AND NOT r.dry_run
GROUP BY c.client_id;

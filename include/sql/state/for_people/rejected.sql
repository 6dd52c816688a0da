-- state/for_people/rejected.py; only reads.

-- count_reasons --
-- Index: ledger_rejected_reasons
SELECT
    field,
    reason,
    detail,
    count(*) AS n
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND state = 'rejected'
GROUP BY field, reason, detail
ORDER BY n DESC, field ASC, reason ASC, detail ASC
LIMIT %(at_most)s;

-- rejected_clients --
-- From the id after `after`, null = from the first; field, reason, reasons, detail, since_before: null = any. The
-- planner knows the values, drops the conditions that don't apply, and chooses the index.
-- Index: ledger_rejected_reasons, else ledger_unconfirmed; client_key primary key
SELECT
    l.client_id,
    k.client_key,
    l.field,
    l.reason,
    l.detail,
    l.tries,
    l.rejected_since AS first_seen,
    l.updated_at AS last_seen,
    l.email
FROM contact_sync.ledger AS l
LEFT JOIN contact_sync.client_key AS k ON l.sync_id = k.sync_id AND l.client_id = k.client_id
WHERE
    l.sync_id = %(sync_id)s
    AND l.state = 'rejected'
    AND (%(after)s::bigint IS NULL OR l.client_id > %(after)s::bigint)
    AND (%(field)s::text IS NULL OR l.field = %(field)s)
    AND (%(reason)s::text IS NULL OR l.reason = %(reason)s)
    AND (%(reasons)s::text[] IS NULL OR l.reason = any(%(reasons)s))
    AND (%(detail)s::text IS NULL OR l.detail = %(detail)s)
    AND (%(since_before)s::timestamptz IS NULL OR l.rejected_since < %(since_before)s)
ORDER BY l.client_id
LIMIT %(at_most)s;

-- example_clients --
-- Clients by id, whatever has become of them; of who isn't in the ledger only the id. Index: ledger and client_key
-- primary keys
SELECT
    i.client_id,
    k.client_key,
    l.email,
    coalesce(l.state = 'rejected', FALSE) AS is_rejected
FROM unnest(%(client_ids)s::bigint[]) AS i (client_id)
LEFT JOIN contact_sync.ledger AS l ON l.sync_id = %(sync_id)s AND i.client_id = l.client_id
LEFT JOIN contact_sync.client_key AS k ON k.sync_id = %(sync_id)s AND i.client_id = k.client_id;

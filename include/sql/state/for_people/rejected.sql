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
-- Index: ledger_rejected_reasons, else ledger_unconfirmed
SELECT
    client_id,
    field,
    reason,
    detail,
    tries,
    rejected_since AS first_seen,
    updated_at AS last_seen,
    email
FROM contact_sync.ledger
WHERE
    sync_id = %(sync_id)s
    AND state = 'rejected'
    AND (%(after)s::bigint IS NULL OR client_id > %(after)s::bigint)
    AND (%(field)s::text IS NULL OR field = %(field)s)
    AND (%(reason)s::text IS NULL OR reason = %(reason)s)
    AND (%(reasons)s::text[] IS NULL OR reason = any(%(reasons)s))
    AND (%(detail)s::text IS NULL OR detail = %(detail)s)
    AND (%(since_before)s::timestamptz IS NULL OR rejected_since < %(since_before)s)
ORDER BY client_id
LIMIT %(at_most)s;

-- Staged clients whose contact a person has removed at SendGrid (state/removed_by_hand.py).

-- own_contacts --
-- Staged clients whose contact at the same address was confirmed when it was sent last (tries = 0), how many seconds
-- ago that was, and on which list; NULL = nobody knows any more. Parameters: brought_back = reasons of pending clients
-- whom a repair brings back. A run's destination is large and stored compressed: of each run it is read once.
-- Index: outbox, ledger, batch and run primary keys
WITH own AS MATERIALIZED (
    SELECT
        o.client_id,
        o.email,
        b.settled_at,
        b.run_id
    FROM contact_sync.outbox AS o
    INNER JOIN contact_sync.ledger AS l
        ON l.sync_id = %(sync_id)s AND o.client_id = l.client_id
    LEFT JOIN contact_sync.batch AS b ON l.batch_id = b.batch_id
    WHERE
        o.run_id = %(run_id)s
        AND l.contact_hash = o.email_hash
        AND l.tries = 0
        AND l.state IN ('confirmed', 'pending')
        AND (l.reason IS NULL OR l.reason <> all(%(brought_back)s))
),

sent_by AS MATERIALIZED (
    SELECT
        r.run_id,
        r.destination #>> '{mapping,list_id}' AS list_id
    FROM contact_sync.run AS r
    WHERE r.run_id IN (SELECT own.run_id FROM own)
)

SELECT
    own.client_id,
    own.email,
    extract(EPOCH FROM now() - own.settled_at)::float AS seconds,
    sent_by.list_id
FROM own
LEFT JOIN sent_by ON own.run_id = sent_by.run_id
ORDER BY own.client_id;

-- exclude --
-- Take clients out of the outbox: they aren't sent before a run of mode resend. off_list: there is nothing to look up.
WITH held AS (
    DELETE FROM contact_sync.outbox AS o
    WHERE o.run_id = %(run_id)s AND o.client_id = any(%(client_ids)s)
    RETURNING o.client_id
)

UPDATE contact_sync.ledger AS l SET
    state = 'excluded',
    reason = 'removed_by_hand',
    detail = NULL,
    field = NULL,
    row_hash = NULL,
    rejected_since = NULL,
    off_list = TRUE,
    updated_at = now()
FROM held
WHERE l.sync_id = %(sync_id)s AND l.client_id = held.client_id;

-- Purpose:    write the contacts of a batch that SendGrid applied into the ledger: clients that it knows already
-- Parameters: batch_id, run_id, sync_id, first_id, last_id, json_only of the batch: with its bounds as constants the
--             planner knows how many contacts it has, which the view batch_contact hides, and reads no more of the
--             ledger than that; temporary table refused(email, field, reason) holds the others
-- Index:      outbox and ledger primary keys
UPDATE contact_sync.ledger AS l
SET
    state = 'confirmed',
    email_hash = o.email_hash,
    email = o.email,
    contact_hash = o.email_hash,
    row_hash = o.row_hash,
    filled = o.filled,
    stale = o.stale,
    rejected_since = NULL,
    field = NULL,
    reason = NULL,
    tries = 0,
    batch_id = %(batch_id)s,
    updated_at = now()
FROM contact_sync.outbox AS o
WHERE
    o.run_id = %(run_id)s
    AND o.client_id BETWEEN %(first_id)s AND %(last_id)s
    AND (%(json_only)s::boolean IS NULL OR o.json_only = %(json_only)s)
    AND l.sync_id = %(sync_id)s
    AND l.client_id = o.client_id
    AND l.client_id BETWEEN %(first_id)s AND %(last_id)s
    AND o.email NOT IN (SELECT r.email FROM pg_temp.refused AS r)

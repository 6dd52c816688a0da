-- Purpose:    write the contacts of a batch that SendGrid applied into the ledger: clients that it doesn't know yet
-- Parameters: as confirm_batch.sql, which runs before, in the same transaction
-- An upsert (ON CONFLICT) of a whole first load takes twice as long, because it looks for every key first.
-- Index:      outbox and ledger primary keys
INSERT INTO contact_sync.ledger (
    sync_id, client_id, state, email_hash, email, contact_hash, row_hash, filled, stale, batch_id,
    updated_at
)
SELECT
    %(sync_id)s,
    o.client_id,
    'confirmed',
    o.email_hash,
    o.email,
    o.email_hash,
    o.row_hash,
    o.filled,
    o.stale,
    %(batch_id)s,
    now()
FROM contact_sync.outbox AS o
WHERE
    o.run_id = %(run_id)s
    AND o.client_id BETWEEN %(first_id)s AND %(last_id)s
    AND (%(json_only)s::boolean IS NULL OR o.json_only = %(json_only)s)
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.ledger AS l
        WHERE
            l.sync_id = %(sync_id)s
            AND l.client_id = o.client_id
            AND l.client_id BETWEEN %(first_id)s AND %(last_id)s
    )
    AND NOT EXISTS (
        SELECT 1 FROM pg_temp.refused AS r
        WHERE r.email = o.email
    )

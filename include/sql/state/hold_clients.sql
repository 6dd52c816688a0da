-- Purpose:    take clients out of a batch before it is sent: they become pending, the next run looks again
-- Parameters: batch_id, client_ids, reason
-- Index:      outbox and ledger primary keys
WITH held AS (
    DELETE FROM contact_sync.outbox AS o
    USING contact_sync.batch AS b
    WHERE
        b.batch_id = %(batch_id)s
        AND o.run_id = b.run_id
        AND o.client_id = any(%(client_ids)s)
    RETURNING
        b.sync_id,
        o.client_id,
        o.email_hash
)

INSERT INTO contact_sync.ledger AS l (sync_id, client_id, state, email_hash, reason)
SELECT
    held.sync_id,
    held.client_id,
    'pending',
    held.email_hash,
    %(reason)s
FROM held
ON CONFLICT (sync_id, client_id) DO UPDATE SET
    state = excluded.state,
    email_hash = excluded.email_hash,
    row_hash = NULL,
    field = NULL,
    reason = excluded.reason,
    updated_at = now()

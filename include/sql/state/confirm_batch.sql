-- Purpose:    write the contacts of a batch that SendGrid applied into the ledger
-- Parameters: batch_id; temporary table refused(email, field, reason) holds the others
-- Index:      outbox and ledger primary keys
INSERT INTO contact_sync.ledger AS l (
    sync_id, client_id, state, email_hash, email, contact_hash, row_hash, filled, stale, updated_at
)
SELECT
    o.sync_id,
    o.client_id,
    'confirmed',
    o.email_hash,
    o.email,
    o.email_hash,
    o.row_hash,
    o.filled,
    o.stale,
    now()
FROM contact_sync.batch_contact AS o
WHERE
    o.batch_id = %(batch_id)s
    AND NOT EXISTS (
        SELECT 1 FROM pg_temp.refused AS r
        WHERE r.email = o.email
    )
ON CONFLICT (sync_id, client_id) DO UPDATE SET
    state = excluded.state,
    email_hash = excluded.email_hash,
    email = excluded.email,
    contact_hash = excluded.contact_hash,
    row_hash = excluded.row_hash,
    filled = excluded.filled,
    stale = excluded.stale,
    rejected_since = NULL,
    field = NULL,
    reason = NULL,
    tries = 0,
    updated_at = excluded.updated_at

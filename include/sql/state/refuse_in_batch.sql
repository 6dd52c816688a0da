-- Purpose:    write the contacts of a batch that SendGrid refused into the ledger as rejected
-- Parameters: batch_id; temporary table refused(email, field, reason)
-- Index:      outbox and ledger primary keys
INSERT INTO contact_sync.ledger AS l (
    sync_id, client_id, state, email_hash, row_hash, field, reason, tries, rejected_since,
    batch_id, updated_at
)
SELECT
    o.sync_id,
    o.client_id,
    'rejected',
    o.email_hash,
    o.row_hash,
    r.field,
    r.reason,
    1,
    now(),
    o.batch_id,
    now()
FROM contact_sync.batch_contact AS o
INNER JOIN pg_temp.refused AS r ON o.email = r.email
WHERE o.batch_id = %(batch_id)s
ON CONFLICT (sync_id, client_id) DO UPDATE SET
    state = excluded.state,
    email_hash = excluded.email_hash,
    row_hash = excluded.row_hash,
    field = excluded.field,
    reason = excluded.reason,
    tries = least(l.tries + 1, 32767),
    rejected_since = coalesce(l.rejected_since, excluded.rejected_since),
    batch_id = excluded.batch_id,
    updated_at = excluded.updated_at

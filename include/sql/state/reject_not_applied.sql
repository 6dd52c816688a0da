-- Purpose:    contacts that were sent again and again and never became as sent: rejected, so that somebody looks
-- Parameters: batch_id, emails, enough, reason; runs after postpone_batch.sql, in the same transaction
-- Index:      outbox and ledger primary keys
UPDATE contact_sync.ledger AS l SET
    state = 'rejected',
    row_hash = o.row_hash,
    field = 'contact',
    reason = %(reason)s,
    rejected_since = coalesce(l.rejected_since, now())
FROM contact_sync.batch_contact AS o
WHERE
    o.batch_id = %(batch_id)s
    AND o.email = any(%(emails)s)
    AND l.sync_id = o.sync_id
    AND l.client_id = o.client_id
    AND l.tries >= %(enough)s

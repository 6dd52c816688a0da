-- Purpose:    a batch of which SendGrid applied nothing, or nobody knows what: its clients become
--             pending and are sent again by the next run
-- Parameters: batch_id, reason; emails, null = all
-- The contact may hold what was sent and what was to be cleared (the masks are joined); a new
-- client's address is kept, because a contact may exist under it.
-- Index:      outbox and ledger primary keys
INSERT INTO contact_sync.ledger AS l (
    sync_id, client_id, state, email_hash, email, contact_hash, filled, reason, tries, batch_id,
    updated_at
)
SELECT
    o.sync_id,
    o.client_id,
    'pending',
    o.email_hash,
    o.email,
    o.email_hash,
    o.filled | o.clears,
    %(reason)s,
    1,
    o.batch_id,
    now()
FROM contact_sync.batch_contact AS o
WHERE
    o.batch_id = %(batch_id)s
    AND (%(emails)s::text[] IS NULL OR o.email = any(%(emails)s))
ON CONFLICT (sync_id, client_id) DO UPDATE SET
    state = excluded.state,
    email_hash = excluded.email_hash,
    email = coalesce(l.email, excluded.email),
    contact_hash = coalesce(l.contact_hash, excluded.contact_hash),
    row_hash = NULL,
    filled = l.filled | excluded.filled,
    field = NULL,
    reason = excluded.reason,
    tries = least(l.tries + 1, 32767),
    batch_id = excluded.batch_id,
    updated_at = excluded.updated_at

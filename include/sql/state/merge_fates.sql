-- Purpose:    write the fates that need no call to SendGrid: rejected, excluded, pending
-- Parameters: sync_id; temporary table
--             fate(client_id, state, email_hash, row_hash, field, reason)
-- What SendGrid holds (email, contact_hash, filled) stays known, except for a client that lost a
-- shared address: another client represents it, and its own contact is noted for removal.
-- Index:      ledger primary key
INSERT INTO contact_sync.ledger AS l (
    sync_id, client_id, state, email_hash, row_hash, field, reason, tries, rejected_since, updated_at
)
SELECT
    %(sync_id)s,
    f.client_id,
    f.state,
    f.email_hash,
    f.row_hash,
    f.field,
    f.reason,
    CASE WHEN f.state = 'rejected' THEN 1 ELSE 0 END,
    CASE WHEN f.state = 'rejected' THEN now() END,
    now()
FROM pg_temp.fate AS f
ON CONFLICT (sync_id, client_id) DO UPDATE SET
    state = excluded.state,
    email_hash = excluded.email_hash,
    row_hash = excluded.row_hash,
    email = CASE
        WHEN excluded.reason = 'shared_address' THEN NULL
        ELSE l.email
    END,
    contact_hash = CASE
        WHEN excluded.reason = 'shared_address' THEN NULL
        ELSE l.contact_hash
    END,
    field = excluded.field,
    tries = CASE WHEN excluded.state = 'rejected' THEN least(l.tries + 1, 32767) ELSE l.tries END,
    rejected_since = CASE
        WHEN excluded.state = 'rejected' THEN coalesce(l.rejected_since, excluded.rejected_since)
        WHEN excluded.state = 'pending' THEN l.rejected_since
    END,
    reason = excluded.reason,
    updated_at = excluded.updated_at

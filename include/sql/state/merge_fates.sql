-- Purpose:    write the fates that need no call to SendGrid: rejected, excluded, pending
-- Parameters: sync_id; temporary table
--             fate(client_id, state, email_hash, row_hash, field, reason)
-- What SendGrid holds (email, contact_hash, filled) stays known, except for a client that lost a
-- shared address: that contact is now another client's.
-- Index:      ledger primary key
INSERT INTO contact_sync.ledger AS l (
    sync_id, client_id, state, email_hash, row_hash, field, reason, updated_at
)
SELECT
    %(sync_id)s,
    f.client_id,
    f.state,
    f.email_hash,
    f.row_hash,
    f.field,
    f.reason,
    now()
FROM pg_temp.fate AS f
ON CONFLICT (sync_id, client_id) DO UPDATE SET
    state = excluded.state,
    email_hash = excluded.email_hash,
    row_hash = excluded.row_hash,
    email = CASE
        WHEN excluded.reason = 'shared_address' AND l.contact_hash = excluded.email_hash
            THEN NULL
        ELSE l.email
    END,
    contact_hash = CASE
        WHEN excluded.reason = 'shared_address' AND l.contact_hash = excluded.email_hash
            THEN NULL
        ELSE l.contact_hash
    END,
    field = excluded.field,
    reason = excluded.reason,
    updated_at = excluded.updated_at

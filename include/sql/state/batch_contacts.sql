-- Purpose:    the contacts of one JSON batch, in a fixed order
-- Parameters: batch_id
-- Columns:    client_id, email, payload, clears
-- Index:      outbox primary key, through the view
SELECT
    client_id,
    email,
    payload,
    clears
FROM contact_sync.batch_contact
WHERE batch_id = %(batch_id)s
ORDER BY client_id

-- Purpose:    addresses that a client of the batch took over are no longer the contact of whoever had
--             them: a client that moved, or one that is gone from B2CORE
-- Parameters: batch_id; temporary table refused; runs before confirm_batch.sql, in the same transaction
-- The former owner, if it is still there, looks moved and is compared again by the next run.
-- Index:      none: one scan of the ledger, only for a batch that takes addresses over
UPDATE contact_sync.ledger AS l
SET
    email = NULL,
    contact_hash = NULL,
    email_hash = 0,
    row_hash = NULL,
    filled = 0
FROM contact_sync.batch_contact AS o
WHERE
    o.batch_id = %(batch_id)s
    AND o.takes_over
    AND l.sync_id = o.sync_id
    AND l.contact_hash = o.email_hash
    AND l.client_id <> o.client_id
    AND o.email NOT IN (SELECT r.email FROM pg_temp.refused AS r)

-- Purpose:    what the sync knows of one client: its ledger row, and the batch that it was sent with last
-- Parameters: sync_id, client_id
-- Columns:    the ledger's; batch_id and run_id are null where no batch is known
-- Index:      ledger and batch primary keys
SELECT
    l.state,
    l.email,
    l.email_hash,
    l.contact_hash,
    l.row_hash,
    l.filled,
    l.stale,
    l.field,
    l.reason,
    l.tries,
    l.rejected_since,
    l.absent,
    l.updated_at,
    b.batch_id,
    b.run_id,
    b.lane,
    b.state AS batch_state,
    b.job_id,
    b.job_status,
    b.counts,
    b.outcome,
    b.submitted_at,
    b.settled_at
FROM contact_sync.ledger AS l
LEFT JOIN contact_sync.batch AS b ON l.batch_id = b.batch_id
WHERE l.sync_id = %(sync_id)s AND l.client_id = %(client_id)s

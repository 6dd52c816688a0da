-- Who ended a run that couldn't, and indexes for a long life and for clocks that jump.
ALTER TABLE contact_sync.run ADD COLUMN ended_by bigint;
ALTER TABLE contact_sync.run ADD COLUMN ended_why text;
ALTER TABLE contact_sync.run ADD CONSTRAINT run_ended_why CHECK (
    (ended_by IS NULL) = (ended_why IS NULL)
    AND ended_why IN ('lease_run_out', 'taken_over', 'tried_again', 'too_old')
);

-- When the run began to read B2CORE, by this server's clock.
ALTER TABLE contact_sync.run ADD COLUMN read_at timestamptz;

-- Which batches were split from one, and whether a batch that goes has any.
CREATE INDEX batch_by_root ON contact_sync.batch (root_id) WHERE root_id IS NOT NULL;
-- The newest request without a definite answer.
CREATE INDEX batch_unknown ON contact_sync.batch (sync_id, fate_unknown_at) WHERE fate_unknown_at IS NOT NULL;
-- Times that are ahead of the server's clock: it has gone back.
CREATE INDEX batch_moments ON contact_sync.batch (sync_id, (greatest(submitted_at, fate_unknown_at, settled_at)));
CREATE INDEX removal_noted ON contact_sync.removal (sync_id, why, list_id, email) WHERE NOT kept;
CREATE INDEX removal_by_batch ON contact_sync.removal (batch_id) WHERE batch_id IS NOT NULL;
-- What was kept for an address that a client has by now: nothing needs it.
DELETE FROM contact_sync.removal AS a
USING contact_sync.ledger AS l
WHERE
    a.kept
    AND a.why <> 'list_changed'
    AND l.sync_id = a.sync_id
    AND l.contact_hash = a.email_hash
    AND l.state = 'confirmed';
-- The newest run that succeeded, and those that began in a span of time.
CREATE INDEX run_succeeded ON contact_sync.run (sync_id, run_id) WHERE state = 'succeeded' AND NOT dry_run;
CREATE INDEX run_by_start ON contact_sync.run (sync_id, started_at) WHERE NOT dry_run;
-- What other runs a run has ended.
CREATE INDEX run_ended_by ON contact_sync.run (ended_by) WHERE ended_by IS NOT NULL;

-- Which batch a client was sent with last, and the few contacts of a batch that need more than an upload.

ALTER TABLE contact_sync.ledger ADD COLUMN batch_id bigint;
COMMENT ON COLUMN contact_sync.ledger.batch_id
IS 'The batch that the client was sent with last, and whose outcome is written here.';

-- Counts, refusals and the list of rejected clients, without reading a million confirmed ones.
CREATE INDEX ledger_unconfirmed ON contact_sync.ledger (sync_id, state, client_id) WHERE state <> 'confirmed';

CREATE INDEX outbox_suppress ON contact_sync.outbox (run_id, client_id) WHERE suppress;
CREATE INDEX outbox_takes_over ON contact_sync.outbox (run_id, client_id) WHERE takes_over;

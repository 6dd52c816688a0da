-- Whom a run has rejected is asked at the end of each, also of one that is about a few clients.
CREATE INDEX ledger_newly_rejected ON contact_sync.ledger (sync_id, updated_at) WHERE state = 'rejected';

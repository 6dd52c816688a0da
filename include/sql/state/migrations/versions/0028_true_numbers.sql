-- What becomes of contacts that leave a batch before SendGrid takes it: a run's numbers tell of them, too.
ALTER TABLE contact_sync.batch
ADD COLUMN refused integer NOT NULL DEFAULT 0,
ADD COLUMN excluded integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN contact_sync.batch.refused
IS 'Contacts that SendGrid refused by name before it took the others; they are rejected.';
COMMENT ON COLUMN contact_sync.batch.excluded
IS 'Contacts that B2CORE had excluded, changed or lost before they were sent.';

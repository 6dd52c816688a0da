-- What becomes of contacts that leave a batch before SendGrid takes it: a run's numbers tell of them, too.
ALTER TABLE contact_sync.batch
ADD COLUMN refused integer NOT NULL DEFAULT 0,
ADD COLUMN excluded integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN contact_sync.batch.refused
IS 'Contacts that SendGrid refused by name before it took the others; they are rejected.';
COMMENT ON COLUMN contact_sync.batch.excluded
IS 'Contacts that B2CORE had excluded, changed or lost before they were sent.';

-- Whoever was sent in vain only is new still: its contact needn't exist.
ALTER TABLE contact_sync.ledger ADD COLUMN unconfirmed boolean NOT NULL DEFAULT FALSE;
COMMENT ON COLUMN contact_sync.ledger.unconfirmed
IS 'It was sent, and no run has confirmed a contact of it since: what SendGrid has of it isn''t known.';

-- A run of the command line whose process is dead.
ALTER TABLE contact_sync.run DROP CONSTRAINT run_ended_why;
ALTER TABLE contact_sync.run ADD CONSTRAINT run_ended_why CHECK (
    (ended_by IS NULL) = (ended_why IS NULL)
    AND ended_why IN ('lease_run_out', 'taken_over', 'tried_again', 'too_old', 'process_died')
);

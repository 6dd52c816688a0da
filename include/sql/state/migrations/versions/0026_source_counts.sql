-- Who has to do with a client that changed is found by address, not by reading the ledger.

CREATE INDEX ledger_address ON contact_sync.ledger (sync_id, email_hash);
CREATE INDEX ledger_former_contact ON contact_sync.ledger (sync_id, contact_hash) WHERE contact_hash <> email_hash;
CREATE INDEX ledger_unknown_address ON contact_sync.ledger (sync_id)
WHERE email_hash = 0 AND (state <> 'rejected' OR reason <> 'missing');

-- A deleted phone or address leaves nothing that a later run could see: how many rows each client had, and who has been
-- looked at since that was counted.
CREATE TABLE contact_sync.row_count (
    sync_id smallint NOT NULL REFERENCES contact_sync.sync (sync_id) ON DELETE CASCADE,
    run_id bigint NOT NULL,
    counted bytea NOT NULL,
    PRIMARY KEY (sync_id, run_id)
);
CREATE TABLE contact_sync.looked_at (
    sync_id smallint NOT NULL REFERENCES contact_sync.sync (sync_id) ON DELETE CASCADE,
    run_id bigint NOT NULL,
    client_ids bigint[] NOT NULL,
    PRIMARY KEY (sync_id, run_id)
);
COMMENT ON TABLE contact_sync.row_count
IS 'How many rows of phones, addresses and the like each client had in B2CORE, as a run counted them.';
COMMENT ON COLUMN contact_sync.row_count.counted
IS 'Columns client_id and rows, as an Arrow stream; it counts once its run has succeeded.';
COMMENT ON TABLE contact_sync.looked_at
IS 'Whom each run has looked at since the rows were counted: for them the count says nothing any more.';

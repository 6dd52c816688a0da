-- How B2CORE itself calls a client: a uuid or a code, of sources that give it.

CREATE TABLE contact_sync.client_key (
    sync_id smallint NOT NULL,
    client_id bigint NOT NULL,
    client_key text NOT NULL,
    PRIMARY KEY (sync_id, client_id)
);
CREATE INDEX client_key_by_key ON contact_sync.client_key (sync_id, client_key);
COMMENT ON TABLE contact_sync.client_key
IS 'The clients'' keys in B2CORE, where clients.sql gives the column client_key: for people, in lists and look-ups.';
COMMENT ON COLUMN contact_sync.client_key.client_key
IS 'As B2CORE has it; stands for a person as client_id does.';

-- A trial: a run of chosen clients.
ALTER TABLE contact_sync.run ADD COLUMN only_clients bigint[];
COMMENT ON COLUMN contact_sync.run.only_clients
IS 'A trial: it looks at these clients, moves no watermark and removes nothing; NULL = an ordinary run.';
ALTER TABLE contact_sync.run DROP CONSTRAINT run_kind_reason;
ALTER TABLE contact_sync.run ADD CONSTRAINT run_kind_reason CHECK (kind_reason IN (
    'asked_for', 'first_load', 'mapping_changed', 'server_replaced', 'server_restarted', 'tables_replaced',
    'detection_switched', 'xmin_too_old', 'full_run_due', 'changes_since', 'state_went_back', 'state_restored',
    'state_moved', 'state_restarted', 'statements_changed', 'trial'
));

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

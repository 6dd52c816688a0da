-- Whom a client id belongs to: another key and another address are another person.
CREATE TABLE contact_sync.person (
    sync_id smallint NOT NULL REFERENCES contact_sync.sync,
    client_id bigint NOT NULL,
    person_hash bigint NOT NULL,
    PRIMARY KEY (sync_id, client_id)
);

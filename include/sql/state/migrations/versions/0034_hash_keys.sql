-- Which keys the hashes of texts in this database were made with. None yet: the first run that finds one applies it.
CREATE TABLE contact_sync.hash_key (
    place smallint PRIMARY KEY,
    key_id text NOT NULL UNIQUE,
    since timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE contact_sync.hash_key
IS 'The keys that hashes of texts were made with, one after the other; none = plain hashes. The keys are elsewhere.';
COMMENT ON COLUMN contact_sync.hash_key.place IS 'The place in the order in which they are applied, from 1.';
COMMENT ON COLUMN contact_sync.hash_key.key_id IS 'Tells one key from another, and says nothing about it.';
COMMENT ON COLUMN contact_sync.hash_key.since IS 'When all hashes got it.';

COMMENT ON COLUMN contact_sync.tombstone.tag
IS 'What whole columns are compared by: the address''s hash as the ledger has it, or the keyed one of the id.';
COMMENT ON COLUMN contact_sync.tombstone.key_id
IS 'Tells with which key mac was made; and tag, while there is no hash_key.';

-- Erasures of people on request, the evidence of each, and tombstones that keep them from coming back.
CREATE TABLE contact_sync.erasure (
    erasure_id text PRIMARY KEY,
    sync_name text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    lifted_at timestamptz,
    cause text
);
CREATE INDEX erasure_open ON contact_sync.erasure (requested_at) WHERE finished_at IS NULL;
COMMENT ON TABLE contact_sync.erasure
IS 'Each erasure of a person; kept for ever, without anything that says who it was.';
COMMENT ON COLUMN contact_sync.erasure.erasure_id IS 'Chosen at random, so that a restored database knows it again.';
COMMENT ON COLUMN contact_sync.erasure.sync_name IS 'The sync that was named in the request.';
COMMENT ON COLUMN contact_sync.erasure.finished_at
IS 'When the last look found nothing; NULL = the next run goes on with it.';
COMMENT ON COLUMN contact_sync.erasure.lifted_at
IS 'When a person lifted its tombstones; NULL = they are in force.';
COMMENT ON COLUMN contact_sync.erasure.cause IS 'Why it didn''t go on the last time, in one sentence; NULL = it did.';

CREATE TABLE contact_sync.tombstone (
    erasure_id text NOT NULL REFERENCES contact_sync.erasure,
    kind text NOT NULL CONSTRAINT tombstone_kind CHECK (kind IN ('address', 'client')),
    sync_name text CONSTRAINT tombstone_sync CHECK ((sync_name IS NULL) = (kind = 'address')),
    tag bigint NOT NULL,
    mac bytea NOT NULL,
    key_id text NOT NULL
);
CREATE UNIQUE INDEX tombstone_once ON contact_sync.tombstone (
    erasure_id, kind, coalesce(sync_name, ''), tag, key_id
);
COMMENT ON TABLE contact_sync.tombstone IS 'Who was erased and must not come back, as keyed hashes.';
COMMENT ON COLUMN contact_sync.tombstone.kind IS 'address, of every sync; client: an id, of one sync.';
COMMENT ON COLUMN contact_sync.tombstone.sync_name IS 'The sync whose client it is; NULL = an address.';
COMMENT ON COLUMN contact_sync.tombstone.tag
IS 'AES-256 of the address''s xxh3, or of the id: what whole columns are compared by.';
COMMENT ON COLUMN contact_sync.tombstone.mac IS 'HMAC-SHA256 of the address, or of the id as text.';
COMMENT ON COLUMN contact_sync.tombstone.key_id IS 'Tells with which key both were made.';

CREATE TABLE contact_sync.erasure_part (
    erasure_id text NOT NULL REFERENCES contact_sync.erasure,
    sync_id smallint NOT NULL REFERENCES contact_sync.sync,
    run_mark bigint NOT NULL,
    verification_mark bigint NOT NULL,
    sent_at timestamptz,
    purged_at timestamptz,
    delete_job text,
    events_job text,
    PRIMARY KEY (erasure_id, sync_id)
);
COMMENT ON TABLE contact_sync.erasure_part
IS 'What is left to do of an erasure, one row for each sync that it concerns; ends with the look that finds nothing.';
COMMENT ON COLUMN contact_sync.erasure_part.run_mark IS 'The newest run when it was asked for: later ones know of it.';
COMMENT ON COLUMN contact_sync.erasure_part.verification_mark IS 'The newest verification then.';
COMMENT ON COLUMN contact_sync.erasure_part.sent_at
IS 'When the person may have been sent last; SendGrid''s search may lag behind that. NULL = it wasn''t.';
COMMENT ON COLUMN contact_sync.erasure_part.purged_at
IS 'When the state database lost what it had of the person; NULL = something that still needs it is under way.';
COMMENT ON COLUMN contact_sync.erasure_part.delete_job IS 'SendGrid''s job that deletes the contacts; NULL = none yet.';
COMMENT ON COLUMN contact_sync.erasure_part.events_job IS 'SendGrid''s job that erases event data; NULL = none yet.';

CREATE TABLE contact_sync.erasure_address (
    erasure_id text NOT NULL,
    sync_id smallint NOT NULL,
    email text NOT NULL,
    email_hash bigint NOT NULL,
    deleted boolean NOT NULL DEFAULT FALSE,
    PRIMARY KEY (erasure_id, sync_id, email),
    FOREIGN KEY (erasure_id, sync_id) REFERENCES contact_sync.erasure_part ON DELETE CASCADE
);
COMMENT ON TABLE contact_sync.erasure_address
IS 'Addresses that have to be looked for at SendGrid; gone when that part of the erasure has ended.';
COMMENT ON COLUMN contact_sync.erasure_address.email_hash IS 'xxh3 of email, as in the ledger.';
COMMENT ON COLUMN contact_sync.erasure_address.deleted IS 'Its contact was found, and SendGrid was told to delete it.';

CREATE TABLE contact_sync.erasure_client (
    erasure_id text NOT NULL,
    sync_id smallint NOT NULL,
    client_id bigint NOT NULL,
    PRIMARY KEY (erasure_id, sync_id, client_id),
    FOREIGN KEY (erasure_id, sync_id) REFERENCES contact_sync.erasure_part ON DELETE CASCADE
);
COMMENT ON TABLE contact_sync.erasure_client IS 'The person''s ids in B2CORE; gone with the addresses.';

CREATE TABLE contact_sync.erasure_step (
    erasure_id text NOT NULL REFERENCES contact_sync.erasure,
    step_no integer NOT NULL,
    at timestamptz NOT NULL,
    what text NOT NULL CONSTRAINT erasure_step_what CHECK (
        what IN (
            'requested', 'purged', 'contacts_deleted', 'events_erased', 'still_shown', 'not_found', 'finished',
            'lifted', 'imported'
        )
    ),
    sync_name text,
    by_whom text,
    reason text,
    numbers jsonb NOT NULL DEFAULT '{}',
    job_id text,
    key_id text NOT NULL,
    seal bytea NOT NULL,
    PRIMARY KEY (erasure_id, step_no)
);
COMMENT ON TABLE contact_sync.erasure_step
IS 'The evidence of an erasure, without personal data: what was done, and when.';
COMMENT ON COLUMN contact_sync.erasure_step.what IS 'A code (base/erasure_steps.py).';
COMMENT ON COLUMN contact_sync.erasure_step.by_whom IS 'The user who asked; NULL = the step is the sync''s own.';
COMMENT ON COLUMN contact_sync.erasure_step.reason
IS 'What that user said, without anything that looks like an address.';
COMMENT ON COLUMN contact_sync.erasure_step.numbers IS 'How many of what.';
COMMENT ON COLUMN contact_sync.erasure_step.job_id IS 'SendGrid''s.';
COMMENT ON COLUMN contact_sync.erasure_step.key_id IS 'Tells with which key it was sealed.';
COMMENT ON COLUMN contact_sync.erasure_step.seal
IS 'HMAC-SHA256 of this step and of the seal before: a step that was changed, added or left out shows.';

ALTER TABLE contact_sync.sync ADD COLUMN erasures_lost integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN contact_sync.sync.erasures_lost
IS 'How many erasures the state database has lost for good, by a person''s word: runs go on without them.';

-- The state of all syncs. Personal data: addresses only, and the outbox while a run is in flight.

CREATE TABLE contact_sync.sync (
    sync_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    epoch bigint NOT NULL DEFAULT 0,
    lease_holder text,
    lease_until timestamptz,
    watermark jsonb,
    mapping_version text,
    fields text[] NOT NULL DEFAULT '{}',
    last_full_at timestamptz
);
COMMENT ON COLUMN contact_sync.sync.epoch IS 'Fencing token: each lease raises it, older runs may not write.';
COMMENT ON COLUMN contact_sync.sync.watermark IS 'The snapshot up to which B2CORE has been read.';
COMMENT ON COLUMN contact_sync.sync.fields IS 'SendGrid fields ever mapped; position = bit in filled masks.';

CREATE TABLE contact_sync.run (
    run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sync_id smallint NOT NULL REFERENCES contact_sync.sync,
    epoch bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('incremental', 'full', 'resend')),
    kind_reason text,
    dry_run boolean NOT NULL DEFAULT FALSE,
    state text NOT NULL DEFAULT 'running'
    CHECK (state IN ('running', 'succeeded', 'failed', 'superseded')),
    holder text NOT NULL,
    reason text,
    definition_hash text NOT NULL,
    destination jsonb,
    snapshot jsonb,
    plan jsonb,
    result jsonb,
    cause text,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
CREATE INDEX run_by_sync ON contact_sync.run (sync_id, run_id DESC);

CREATE TABLE contact_sync.slice (
    run_id bigint NOT NULL REFERENCES contact_sync.run ON DELETE CASCADE,
    slice_no integer NOT NULL,
    first_id bigint NOT NULL,
    last_id bigint NOT NULL,
    clients integer NOT NULL,
    members bytea NOT NULL,
    counts jsonb,
    PRIMARY KEY (run_id, slice_no)
);
COMMENT ON COLUMN contact_sync.slice.members IS 'Arrow IPC: client_id, email_hash, verdict of each client.';

CREATE TABLE contact_sync.batch (
    batch_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES contact_sync.run,
    sync_id smallint NOT NULL REFERENCES contact_sync.sync,
    lane text NOT NULL CHECK (lane IN ('json', 'csv', 'delete')),
    state text NOT NULL DEFAULT 'staged' CHECK (
        state IN ('staged', 'submitting', 'created', 'uploading', 'submitted', 'settled', 'void')
    ),
    first_id bigint,
    last_id bigint,
    json_only boolean,
    contacts integer NOT NULL,
    job_id text,
    job_status text,
    counts jsonb,
    outcome text,
    fate_unknown_at timestamptz,
    submitted_at timestamptz,
    settled_at timestamptz
);
COMMENT ON COLUMN contact_sync.batch.json_only IS 'Takes only outbox rows with this flag; NULL = all in the id range.';
COMMENT ON COLUMN contact_sync.batch.fate_unknown_at IS 'Last time a request left and no definite answer came.';
CREATE INDEX batch_by_run ON contact_sync.batch (run_id);
CREATE INDEX batch_open ON contact_sync.batch (sync_id) WHERE state NOT IN ('settled', 'void');

CREATE TABLE contact_sync.outbox (
    run_id bigint NOT NULL,
    client_id bigint NOT NULL,
    email text NOT NULL,
    email_hash bigint NOT NULL,
    payload text NOT NULL,
    row_hash bigint NOT NULL,
    filled bigint NOT NULL,
    clears bigint NOT NULL,
    json_only boolean NOT NULL,
    takes_over boolean NOT NULL,
    size integer NOT NULL,
    PRIMARY KEY (run_id, client_id)
);
COMMENT ON COLUMN contact_sync.outbox.takes_over IS 'The address has been the contact of another client.';
COMMENT ON COLUMN contact_sync.outbox.payload IS 'Values in mapping order, joined by U+001F; empty = no value.';

CREATE TABLE contact_sync.ledger (
    sync_id smallint NOT NULL,
    client_id bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('confirmed', 'pending', 'rejected', 'excluded')),
    email_hash bigint NOT NULL,
    email text,
    contact_hash bigint,
    row_hash bigint,
    filled bigint NOT NULL DEFAULT 0,
    field text,
    reason text,
    tries smallint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sync_id, client_id)
);
COMMENT ON COLUMN contact_sync.ledger.email_hash IS 'xxh3 of the address last seen in B2CORE.';
COMMENT ON COLUMN contact_sync.ledger.email IS 'Address of this client''s contact at SendGrid, as far as known.';
COMMENT ON COLUMN contact_sync.ledger.contact_hash IS 'xxh3 of email.';
COMMENT ON COLUMN contact_sync.ledger.row_hash IS 'Hash of the payload that SendGrid confirmed or refused.';
COMMENT ON COLUMN contact_sync.ledger.filled IS 'Fields that the contact may hold a value in, by bit.';

CREATE TABLE contact_sync.obsolete_address (
    sync_id smallint NOT NULL,
    email text NOT NULL,
    email_hash bigint NOT NULL,
    client_id bigint NOT NULL,
    batch_id bigint,
    kept boolean NOT NULL DEFAULT FALSE,
    noted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sync_id, email)
);
COMMENT ON COLUMN contact_sync.obsolete_address.kept IS 'Policy keep: not removed, but whoever takes it clears it.';
COMMENT ON TABLE contact_sync.obsolete_address
IS 'Former addresses of clients, removed at SendGrid when nobody has them.';

CREATE VIEW contact_sync.batch_contact AS
SELECT
    b.batch_id,
    b.sync_id,
    o.client_id,
    o.email,
    o.email_hash,
    o.payload,
    o.row_hash,
    o.filled,
    o.clears,
    o.takes_over
FROM contact_sync.batch AS b
INNER JOIN contact_sync.outbox AS o
    ON
        b.run_id = o.run_id
        AND o.client_id BETWEEN b.first_id AND b.last_id
        AND (b.json_only IS NULL OR o.json_only = b.json_only);
COMMENT ON VIEW contact_sync.batch_contact IS 'The outbox rows of each batch: a range of client ids of its run.';

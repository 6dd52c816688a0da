-- Verifications: SendGrid's own export compared with what B2CORE calls for, and what was found.
CREATE TABLE contact_sync.verification (
    verification_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sync_id smallint NOT NULL REFERENCES contact_sync.sync,
    state text NOT NULL DEFAULT 'running'
    CONSTRAINT verification_state CHECK (state IN ('running', 'succeeded', 'failed')),
    attempt integer NOT NULL DEFAULT 1,
    holder text NOT NULL,
    reason text,
    definition_hash text NOT NULL,
    destination jsonb NOT NULL,
    export_id text,
    list_export_id text,
    export_status text
    CONSTRAINT verification_export CHECK (export_status IN ('pending', 'ready', 'failure')),
    export_hash text,
    snapshot jsonb,
    compared_at timestamptz,
    counts jsonb,
    fields jsonb,
    sendgrid_digest text,
    b2core_digest text,
    cause text,
    started_at timestamptz NOT NULL DEFAULT now(),
    ordered_at timestamptz,
    read_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT verification_end CHECK (
        (finished_at IS NULL) = (state = 'running') AND (cause IS NULL OR state = 'failed')
    )
);
CREATE INDEX verification_by_sync ON contact_sync.verification (sync_id, verification_id DESC);
CREATE UNIQUE INDEX verification_running ON contact_sync.verification (sync_id) WHERE state = 'running';
COMMENT ON TABLE contact_sync.verification
IS 'Each verification: when both sides were read, what was compared, how it came out: a certificate.';
COMMENT ON COLUMN contact_sync.verification.state IS 'running, succeeded (whatever it found) or failed.';
COMMENT ON COLUMN contact_sync.verification.attempt
IS 'Fencing token: whoever continues a verification raises it, and the one before may not write.';
COMMENT ON COLUMN contact_sync.verification.holder
IS 'The DAG run, or the process on the command line, that works for it.';
COMMENT ON COLUMN contact_sync.verification.reason IS 'What the person said who started it.';
COMMENT ON COLUMN contact_sync.verification.definition_hash
IS 'Of the definition it began with; an edited one begins another verification.';
COMMENT ON COLUMN contact_sync.verification.destination IS 'List and fields, by id, that are compared.';
COMMENT ON COLUMN contact_sync.verification.export_id IS 'SendGrid''s id of the export of all contacts.';
COMMENT ON COLUMN contact_sync.verification.list_export_id
IS 'SendGrid''s id of the export of the list: the other one doesn''t tell who is on it. NULL = the sync has no list.';
COMMENT ON COLUMN contact_sync.verification.export_status IS 'SendGrid''s last word: pending, ready, failure.';
COMMENT ON COLUMN contact_sync.verification.export_hash
IS 'SHA-256 over the files as they were downloaded, in order; NULL = the account''s side isn''t loaded yet.';
COMMENT ON COLUMN contact_sync.verification.snapshot
IS 'The moment at which B2CORE was read; NULL = its side isn''t loaded yet.';
COMMENT ON COLUMN contact_sync.verification.compared_at
IS 'When both sides were joined; what differed is looked at again.';
COMMENT ON COLUMN contact_sync.verification.counts
IS 'By verdict: how many clients or contacts; what was read and compared.';
COMMENT ON COLUMN contact_sync.verification.fields IS 'By field of SendGrid''s: in how many contacts it differs.';
COMMENT ON COLUMN contact_sync.verification.sendgrid_digest
IS 'Of the account''s contacts, in whatever order: equal digests of two verifications, equal contents.';
COMMENT ON COLUMN contact_sync.verification.b2core_digest IS 'The same of what B2CORE calls for.';
COMMENT ON COLUMN contact_sync.verification.cause IS 'Why it failed, in one sentence.';
COMMENT ON COLUMN contact_sync.verification.ordered_at IS 'When the export was ordered.';
COMMENT ON COLUMN contact_sync.verification.read_at
IS 'When it began to read B2CORE, by the clock of this server.';

CREATE UNLOGGED TABLE contact_sync.verify_contact (
    verification_id bigint NOT NULL,
    email_hash bigint NOT NULL,
    on_list boolean NOT NULL,
    updated_at timestamptz,
    field_hashes bytea NOT NULL,
    unclear bigint NOT NULL,
    email text
);
COMMENT ON TABLE contact_sync.verify_contact
IS 'The account''s side of a verification that is under way: a contact of the export, as hashes.';
COMMENT ON COLUMN contact_sync.verify_contact.email_hash IS 'xxh3 of the address, as in the ledger.';
COMMENT ON COLUMN contact_sync.verify_contact.on_list IS 'Whether it is on the sync''s list; without a list: true.';
COMMENT ON COLUMN contact_sync.verify_contact.updated_at IS 'When it changed last, as SendGrid says.';
COMMENT ON COLUMN contact_sync.verify_contact.field_hashes
IS 'For each mapped field 8 bytes, in mapping order: a hash of what the value means, zeros = none.';
COMMENT ON COLUMN contact_sync.verify_contact.unclear
IS 'Fields whose value is no number or date, by position in the mapping.';
COMMENT ON COLUMN contact_sync.verify_contact.email IS 'Only of contacts on the list that the ledger doesn''t know.';

CREATE UNLOGGED TABLE contact_sync.verify_client (
    verification_id bigint NOT NULL,
    client_id bigint NOT NULL,
    email_hash bigint NOT NULL,
    calls_for text NOT NULL
    CONSTRAINT verify_client_calls_for CHECK (
        calls_for IN ('contact', 'rejected', 'excluded', 'shared', 'removed_by_hand', 'moved')
    ),
    waits boolean NOT NULL,
    field_hashes bytea NOT NULL,
    left_out bigint NOT NULL
);
COMMENT ON TABLE contact_sync.verify_client
IS 'B2CORE''s side of a verification that is under way: what a client calls for, as hashes.';
COMMENT ON COLUMN contact_sync.verify_client.email_hash IS 'xxh3 of its address; 0 = none.';
COMMENT ON COLUMN contact_sync.verify_client.calls_for
IS 'contact, or why not: rejected, excluded, shared, removed_by_hand; moved = its address changed while it was read.';
COMMENT ON COLUMN contact_sync.verify_client.waits IS 'A run that is under way, or the next one, sends it.';
COMMENT ON COLUMN contact_sync.verify_client.field_hashes IS 'As of verify_contact.';
COMMENT ON COLUMN contact_sync.verify_client.left_out
IS 'Fields in which SendGrid may hold anything: it refused the value, or can''t clear it; by position in the mapping.';

CREATE VIEW contact_sync.verify_pair AS
SELECT
    c.verification_id,
    c.client_id,
    c.email_hash,
    c.waits,
    c.field_hashes AS called_for,
    c.left_out,
    a.field_hashes AS held,
    a.unclear,
    a.updated_at,
    a.email_hash IS NOT NULL AS has_contact,
    coalesce(a.on_list, FALSE) AS on_list
FROM contact_sync.verify_client AS c
LEFT JOIN contact_sync.verify_contact AS a ON c.verification_id = a.verification_id AND c.email_hash = a.email_hash
WHERE c.calls_for = 'contact';
COMMENT ON VIEW contact_sync.verify_pair
IS 'Of a verification that is under way: each client that calls for a contact, with the contact of its address.';

CREATE TABLE contact_sync.finding (
    verification_id bigint NOT NULL REFERENCES contact_sync.verification ON DELETE CASCADE,
    finding_no bigint NOT NULL,
    verdict text NOT NULL
    CONSTRAINT finding_verdict CHECK (verdict IN (
        'missing', 'different', 'off_list', 'excluded_on_list', 'deleted_on_list', 'former_on_list', 'ghost',
        'foreign_on_list', 'not_comparable'
    )),
    client_id bigint,
    email text,
    email_hash bigint NOT NULL,
    fields text[] NOT NULL DEFAULT '{}',
    on_list boolean,
    updated_at timestamptz,
    looked_at timestamptz,
    repaired_by bigint,
    PRIMARY KEY (verification_id, finding_no)
);
CREATE INDEX finding_by_verdict ON contact_sync.finding (verification_id, verdict, finding_no);
CREATE INDEX finding_unseen ON contact_sync.finding (verification_id, finding_no) WHERE looked_at IS NULL;
COMMENT ON TABLE contact_sync.finding
IS 'What a verification found not to be equal; kept until the next one of the sync succeeds.';
COMMENT ON COLUMN contact_sync.finding.verdict IS 'What is wrong: a code.';
COMMENT ON COLUMN contact_sync.finding.client_id IS 'Whose contact it is, or was; NULL = no client is known.';
COMMENT ON COLUMN contact_sync.finding.email
IS 'Only of contacts that have to leave the list or SendGrid, and of foreign ones on the list.';
COMMENT ON COLUMN contact_sync.finding.email_hash IS 'xxh3 of the address.';
COMMENT ON COLUMN contact_sync.finding.fields IS 'SendGrid''s names of the fields that differ, or can''t be compared.';
COMMENT ON COLUMN contact_sync.finding.on_list
IS 'Whether the contact is on the sync''s list; NULL = there is no contact.';
COMMENT ON COLUMN contact_sync.finding.updated_at IS 'When the contact changed last, as SendGrid says.';
COMMENT ON COLUMN contact_sync.finding.looked_at
IS 'When it was looked up again, because both sides go on changing; NULL = it wasn''t, there are too many.';
COMMENT ON COLUMN contact_sync.finding.repaired_by IS 'The run that marked it to be sent or removed; NULL = none.';

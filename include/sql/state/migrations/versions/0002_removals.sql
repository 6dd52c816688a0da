-- What SendGrid must forget or unlist, approvals, job families, and what rejections keep.

ALTER TABLE contact_sync.sync ADD COLUMN destination jsonb;
COMMENT ON COLUMN contact_sync.sync.destination
IS 'List and fields of the last finished run, to tell what changed at SendGrid.';

ALTER TABLE contact_sync.run ADD COLUMN retry_rejected boolean NOT NULL DEFAULT FALSE;
ALTER TABLE contact_sync.run ADD COLUMN approve_removals integer;
ALTER TABLE contact_sync.run ADD COLUMN approval jsonb;
COMMENT ON COLUMN contact_sync.run.retry_rejected
IS 'Send rejected clients again although nothing of them changed.';
COMMENT ON COLUMN contact_sync.run.approve_removals
IS 'A person allows the removal of exactly so many absent clients.';
COMMENT ON COLUMN contact_sync.run.approval
IS 'Set when limits are exceeded: {why, decision, by}; nothing is sent before decision = approved.';

ALTER TABLE contact_sync.batch DROP CONSTRAINT batch_lane_check;
ALTER TABLE contact_sync.batch
ADD CONSTRAINT batch_lane_check CHECK (lane IN ('json', 'csv', 'delete', 'unlist'));
ALTER TABLE contact_sync.batch ADD COLUMN list_id text;
ALTER TABLE contact_sync.batch ADD COLUMN root_id bigint REFERENCES contact_sync.batch;
ALTER TABLE contact_sync.batch ADD COLUMN tries smallint NOT NULL DEFAULT 0;
COMMENT ON COLUMN contact_sync.batch.list_id
IS 'Lane unlist: the list that the contacts are taken off.';
COMMENT ON COLUMN contact_sync.batch.root_id
IS 'The planned batch that this one was split from; NULL = it was planned.';
COMMENT ON COLUMN contact_sync.batch.tries
IS 'Failed jobs of this batch or of those it was split from.';

ALTER TABLE contact_sync.outbox ADD COLUMN suppress boolean NOT NULL DEFAULT FALSE;
ALTER TABLE contact_sync.outbox ADD COLUMN stale bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN contact_sync.outbox.suppress
IS 'The former address is globally suppressed: suppress this one before it is uploaded.';

ALTER TABLE contact_sync.ledger ADD COLUMN absent smallint NOT NULL DEFAULT 0;
ALTER TABLE contact_sync.ledger ADD COLUMN absent_run bigint;
ALTER TABLE contact_sync.ledger ADD COLUMN rejected_since timestamptz;
ALTER TABLE contact_sync.ledger ADD COLUMN stale bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN contact_sync.ledger.absent
IS 'In how many snapshots in a row the client was not in B2CORE.';
COMMENT ON COLUMN contact_sync.ledger.absent_run
IS 'The run that counted last: a repeated task counts once.';
COMMENT ON COLUMN contact_sync.ledger.rejected_since
IS 'When the client was rejected first, without being confirmed since.';
COMMENT ON COLUMN contact_sync.ledger.stale
IS 'Number and Date fields that B2CORE emptied and SendGrid can''t clear, by bit.';
CREATE INDEX ledger_stale ON contact_sync.ledger (sync_id) WHERE stale <> 0;
CREATE INDEX ledger_absent ON contact_sync.ledger (sync_id) WHERE absent > 0;

ALTER TABLE contact_sync.obsolete_address RENAME TO removal;
ALTER TABLE contact_sync.removal ADD COLUMN why text NOT NULL DEFAULT 'address_changed' CHECK (
    why IN ('address_changed', 'excluded', 'gone', 'list_changed')
);
ALTER TABLE contact_sync.removal ADD COLUMN list_id text NOT NULL DEFAULT '';
ALTER TABLE contact_sync.removal DROP CONSTRAINT obsolete_address_pkey;
ALTER TABLE contact_sync.removal ADD CONSTRAINT removal_pkey PRIMARY KEY (sync_id, email, list_id);
COMMENT ON COLUMN contact_sync.removal.list_id IS 'list_changed only: the former list.';
COMMENT ON COLUMN contact_sync.removal.kept
IS 'The contact stays, as nobody''s: whoever takes the address clears it. The address itself is forgotten.';
COMMENT ON TABLE contact_sync.removal
IS 'Contacts to be deleted or taken off the list: former addresses, excluded and deleted clients.';

DROP VIEW contact_sync.batch_contact;
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
    o.takes_over,
    o.suppress,
    o.stale
FROM contact_sync.batch AS b
INNER JOIN contact_sync.outbox AS o
    ON
        b.run_id = o.run_id
        AND o.client_id BETWEEN b.first_id AND b.last_id
        AND (b.json_only IS NULL OR o.json_only = b.json_only);
COMMENT ON VIEW contact_sync.batch_contact
IS 'The outbox rows of each batch: a range of client ids of its run.';

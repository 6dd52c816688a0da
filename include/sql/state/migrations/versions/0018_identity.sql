-- The state database notices that it went back, or that another one is at work.
ALTER TABLE contact_sync.sync
ADD COLUMN life uuid NOT NULL DEFAULT gen_random_uuid(),
ADD COLUMN unproven text,
ADD COLUMN unproven_since timestamptz,
ADD COLUMN has_forgotten boolean NOT NULL DEFAULT FALSE,
ADD CONSTRAINT sync_unproven CHECK (
    num_nulls(unproven, unproven_since) IN (0, 2)
    AND unproven IN ('state_went_back', 'state_restored', 'state_moved', 'state_restarted')
);
COMMENT ON COLUMN contact_sync.sync.life
IS 'Chosen at random when the row was made: a mark tells by it of which state database it is.';
COMMENT ON COLUMN contact_sync.sync.unproven
IS 'Why the ledger isn''t believed, a code; NULL = it is. Until a run has sent everything again.';
COMMENT ON COLUMN contact_sync.sync.unproven_since IS 'When a run noticed it.';
COMMENT ON COLUMN contact_sync.sync.has_forgotten
IS 'Requests may be on their way of which this database knows nothing any more.';

ALTER TABLE contact_sync.run
ADD COLUMN unproven text,
ADD COLUMN token text,
ADD COLUMN mark_place text;
COMMENT ON COLUMN contact_sync.run.unproven
IS 'Why the ledger wasn''t believed when it began, a code; NULL = it was.';
COMMENT ON COLUMN contact_sync.run.token IS 'Chosen at random; its mark outside of this database has it, too.';
COMMENT ON COLUMN contact_sync.run.mark_place
IS 'The kind of place where it left its mark: airflow or file; NULL = none.';
CREATE INDEX run_marked ON contact_sync.run (sync_id, mark_place) WHERE mark_place IS NOT NULL;

ALTER TABLE contact_sync.run DROP CONSTRAINT run_kind_reason;
ALTER TABLE contact_sync.run ADD CONSTRAINT run_kind_reason CHECK (kind_reason IN (
    'asked_for', 'first_load', 'mapping_changed', 'server_replaced', 'server_restarted', 'tables_replaced',
    'detection_switched', 'xmin_too_old', 'full_run_due', 'changes_since', 'state_went_back', 'state_restored',
    'state_moved', 'state_restarted', 'statements_changed'
));

ALTER TABLE contact_sync.ledger DROP CONSTRAINT ledger_reason;
ALTER TABLE contact_sync.ledger ADD CONSTRAINT ledger_reason CHECK (
    (detail IS NULL OR reason IS NOT NULL)
    AND CASE state
        WHEN 'pending'
            THEN reason IN (
                'changed_while_read', 'gone_while_read', 'changed_since_read', 'suppression_unknown',
                'suppression_not_carried', 'not_shown', 'address_not_free', 'fate_unknown', 'job_unknown_to_sendgrid',
                'job_never_ended', 'upload_never_arrived', 'not_applied', 'errors_file_unclear', 'job_failed',
                'request_refused', 'value_refused', 'state_unproven'
            )
        WHEN 'rejected'
            THEN reason IN (
                'missing', 'invalid', 'too_long', 'not_a_number', 'not_a_date', 'rounded', 'two_addresses',
                'look_alike_domain', 'not_ascii', 'no_country', 'unknown_country', 'number_too_short',
                'number_too_long', 'not_assigned', 'two_numbers', 'no_number', 'refused_by_sendgrid',
                'import_failed', 'never_applied'
            )
        WHEN 'excluded' THEN reason IN ('excluded_by_b2core', 'excluded_address', 'removed_by_hand')
        ELSE TRUE
    END
);

CREATE TABLE contact_sync.state_identity (
    sync_id smallint PRIMARY KEY REFERENCES contact_sync.sync,
    written_by xid8 NOT NULL,
    database_oid oid NOT NULL,
    run_oid oid NOT NULL,
    ledger_oid oid NOT NULL,
    ledger_file oid NOT NULL,
    system_identifier text,
    timeline integer,
    server_start timestamptz NOT NULL
);
COMMENT ON TABLE contact_sync.state_identity
IS 'Evidence, rewritten by each run, by which the next one sees whether this database went back.';
COMMENT ON COLUMN contact_sync.state_identity.written_by
IS 'The transaction that wrote the row; its xmin is another one when the row was restored.';
COMMENT ON COLUMN contact_sync.state_identity.database_oid IS 'The database that it was written in.';
COMMENT ON COLUMN contact_sync.state_identity.run_oid IS 'The table of runs that was there.';
COMMENT ON COLUMN contact_sync.state_identity.ledger_oid IS 'The ledger that was there.';
COMMENT ON COLUMN contact_sync.state_identity.ledger_file
IS 'Its file: another one when it was rewritten (VACUUM FULL), or emptied and filled.';
COMMENT ON COLUMN contact_sync.state_identity.system_identifier
IS 'The server''s; NULL = it wasn''t permitted to ask for it.';
COMMENT ON COLUMN contact_sync.state_identity.timeline
IS 'The server''s: another one after a promotion. NULL as above.';
COMMENT ON COLUMN contact_sync.state_identity.server_start IS 'When the server was started.';

INSERT INTO contact_sync.state_identity (
    sync_id, written_by, database_oid, run_oid, ledger_oid, ledger_file, server_start
)
SELECT
    s.sync_id,
    pg_current_xact_id(),
    d.oid,
    'contact_sync.run'::regclass,
    'contact_sync.ledger'::regclass,
    pg_relation_filenode('contact_sync.ledger'),
    pg_postmaster_start_time()
FROM contact_sync.sync AS s
INNER JOIN pg_catalog.pg_database AS d ON d.datname = current_database();

-- What becomes of contacts that leave a batch before SendGrid takes it: a run's numbers tell of them, too.
ALTER TABLE contact_sync.batch
ADD COLUMN refused integer NOT NULL DEFAULT 0,
ADD COLUMN excluded integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN contact_sync.batch.refused
IS 'Contacts that SendGrid refused by name before it took the others; they are rejected.';
COMMENT ON COLUMN contact_sync.batch.excluded
IS 'Contacts that B2CORE had excluded, changed or lost before they were sent.';

-- Whoever was sent in vain only is new still: its contact needn't exist.
ALTER TABLE contact_sync.ledger ADD COLUMN unconfirmed boolean NOT NULL DEFAULT FALSE;
COMMENT ON COLUMN contact_sync.ledger.unconfirmed
IS 'It was sent, and no run has confirmed a contact of it since: what SendGrid has of it isn''t known.';

-- A run of the command line whose process is dead.
ALTER TABLE contact_sync.run DROP CONSTRAINT run_ended_why;
ALTER TABLE contact_sync.run ADD CONSTRAINT run_ended_why CHECK (
    (ended_by IS NULL) = (ended_why IS NULL)
    AND ended_why IN ('lease_run_out', 'taken_over', 'tried_again', 'too_old', 'process_died')
);

-- Clients that SendGrid rejected are sent again by themselves.
ALTER TABLE contact_sync.ledger DROP CONSTRAINT ledger_reason;
ALTER TABLE contact_sync.ledger ADD CONSTRAINT ledger_reason CHECK (
    (detail IS NULL OR reason IS NOT NULL)
    AND CASE state
        WHEN 'pending'
            THEN reason IN (
                'changed_while_read', 'gone_while_read', 'changed_since_read', 'suppression_unknown',
                'suppression_not_carried', 'not_shown', 'address_not_free', 'fate_unknown', 'job_unknown_to_sendgrid',
                'job_never_ended', 'upload_never_arrived', 'not_applied', 'errors_file_unclear', 'job_failed',
                'request_refused', 'value_refused', 'state_unproven', 'found_missing', 'found_different',
                'found_off_list', 'tried_again'
            )
        WHEN 'rejected'
            THEN reason IN (
                'missing', 'invalid', 'too_long', 'not_a_number', 'not_a_date', 'rounded', 'two_addresses',
                'look_alike_domain', 'not_ascii', 'no_country', 'unknown_country', 'number_too_short',
                'number_too_long', 'not_assigned', 'two_numbers', 'no_number', 'refused_by_sendgrid',
                'import_failed', 'never_applied'
            )
        WHEN 'excluded'
            THEN reason IN ('excluded_by_b2core', 'excluded_address', 'removed_by_hand', 'suppressed_at_sendgrid')
        ELSE TRUE
    END
);

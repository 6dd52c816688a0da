-- Values that SendGrid refused, by hash, until they change.
CREATE TABLE contact_sync.refused_value (
    sync_id smallint NOT NULL REFERENCES contact_sync.sync (sync_id),
    client_id bigint NOT NULL,
    field text NOT NULL,
    value_hash bigint NOT NULL,
    detail text,
    run_id bigint NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sync_id, client_id, field)
);

-- They are dropped values, too.
ALTER TABLE contact_sync.dropped_value DROP CONSTRAINT dropped_value_reason;
ALTER TABLE contact_sync.dropped_value ADD CONSTRAINT dropped_value_reason CHECK (
    reason IN (
        'missing', 'invalid', 'too_long', 'not_a_number', 'not_a_date', 'rounded', 'two_addresses',
        'look_alike_domain', 'not_ascii', 'no_country', 'unknown_country', 'number_too_short',
        'number_too_long', 'not_assigned', 'two_numbers', 'no_number', 'refused_by_sendgrid'
    )
);

-- What a run has learned of how large a request and a file may be.
ALTER TABLE contact_sync.run ADD COLUMN json_bytes bigint;
ALTER TABLE contact_sync.run ADD COLUMN csv_bytes bigint;
ALTER TABLE contact_sync.run ADD COLUMN json_taken bigint;
ALTER TABLE contact_sync.run ADD COLUMN csv_taken bigint;

-- Why a batch was refused, in SendGrid's words.
ALTER TABLE contact_sync.batch ADD COLUMN detail text;
ALTER TABLE contact_sync.batch DROP CONSTRAINT batch_outcome;
ALTER TABLE contact_sync.batch ADD CONSTRAINT batch_outcome CHECK (
    outcome IN (
        'applied', 'nothing_left', 'all_refused', 'sent_again', 'split', 'failed_alone', 'refused_alone',
        'rejected_alone', 'removed', 'unlisted', 'not_removed', 'still_shown', 'deletions_unclear', 'nothing_there',
        'list_gone', 'not_found_yet', 'unsearchable', 'moved', 'not_moved', 'move_refused', 'fate_unknown',
        'job_unknown_to_sendgrid', 'job_never_ended',
        'upload_never_arrived', 'not_applied', 'errors_file_unclear', 'job_failed', 'request_refused'
    )
);

-- More reasons why a client is pending (PendingReason in base/vocabulary.py).
ALTER TABLE contact_sync.ledger DROP CONSTRAINT ledger_reason;
ALTER TABLE contact_sync.ledger ADD CONSTRAINT ledger_reason CHECK (
    (detail IS NULL OR reason IS NOT NULL)
    AND CASE state
        WHEN 'pending'
            THEN reason IN (
                'changed_while_read', 'gone_while_read', 'changed_since_read', 'suppression_unknown',
                'suppression_not_carried', 'not_shown', 'fate_unknown', 'job_unknown_to_sendgrid', 'job_never_ended',
                'upload_never_arrived', 'not_applied', 'errors_file_unclear', 'job_failed', 'request_refused',
                'value_refused'
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

-- A verification may have a run repair what it has found.
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
                'found_off_list'
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

ALTER TABLE contact_sync.removal DROP CONSTRAINT removal_why_check;
ALTER TABLE contact_sync.removal ADD CONSTRAINT removal_why_check CHECK (
    why IN ('address_changed', 'address_lost', 'excluded', 'gone', 'list_changed', 'foreign')
);

ALTER TABLE contact_sync.finding DROP COLUMN repaired_by;
ALTER TABLE contact_sync.finding ADD COLUMN repaired boolean NOT NULL DEFAULT FALSE;
COMMENT ON COLUMN contact_sync.finding.repaired IS 'The next run after it was told to put it right.';

ALTER TABLE contact_sync.verification
ADD COLUMN rebuilds boolean NOT NULL DEFAULT FALSE,
ADD COLUMN rebuilt bigint;
COMMENT ON COLUMN contact_sync.verification.rebuilds IS 'The ledger is filled from it.';
COMMENT ON COLUMN contact_sync.verification.rebuilt
IS 'How many clients the ledger took from it as confirmed; NULL = none yet, or it was no rebuild.';

CREATE UNLOGGED TABLE contact_sync.verify_proof (
    verification_id bigint NOT NULL,
    client_id bigint NOT NULL,
    email text NOT NULL,
    email_hash bigint NOT NULL,
    row_hash bigint NOT NULL,
    filled bigint NOT NULL,
    person_hash bigint NOT NULL
);
COMMENT ON TABLE contact_sync.verify_proof
IS 'Of a rebuild that is under way: what the ledger will say of a client whose contact is equal.';

-- A contact is tried in vain only when SendGrid looked at it; a rejection that a look-up disproves is taken back.
ALTER TABLE contact_sync.ledger ADD COLUMN looks smallint NOT NULL DEFAULT 0;
ALTER TABLE contact_sync.ledger ADD COLUMN looked_hash bigint;
ALTER TABLE contact_sync.ledger ADD COLUMN retaken smallint NOT NULL DEFAULT 0;
ALTER TABLE contact_sync.ledger ADD COLUMN looked_up_at timestamptz;

-- A client whose address isn't free of an excluded client's contact yet is pending.
ALTER TABLE contact_sync.ledger DROP CONSTRAINT ledger_reason;
ALTER TABLE contact_sync.ledger ADD CONSTRAINT ledger_reason CHECK (
    (detail IS NULL OR reason IS NOT NULL)
    AND CASE state
        WHEN 'pending'
            THEN
                reason IN (
                    'changed_while_read', 'gone_while_read', 'changed_since_read', 'suppression_unknown',
                    'suppression_not_carried', 'not_shown', 'address_not_free', 'fate_unknown',
                    'job_unknown_to_sendgrid', 'job_never_ended', 'upload_never_arrived', 'not_applied',
                    'errors_file_unclear', 'job_failed', 'request_refused', 'value_refused'
                )
        WHEN 'rejected'
            THEN
                reason IN (
                    'missing', 'invalid', 'too_long', 'not_a_number', 'not_a_date', 'rounded', 'two_addresses',
                    'look_alike_domain', 'not_ascii', 'no_country', 'unknown_country', 'number_too_short',
                    'number_too_long', 'not_assigned', 'two_numbers', 'no_number', 'refused_by_sendgrid',
                    'import_failed', 'never_applied'
                )
        WHEN 'excluded' THEN reason IN ('excluded_by_b2core', 'excluded_address', 'removed_by_hand')
        ELSE TRUE
    END
);

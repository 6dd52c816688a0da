-- Removals are looked at, not believed; excluded clients are looked up once; who was removed by hand stays away.
ALTER TABLE contact_sync.removal
ADD COLUMN tries smallint NOT NULL DEFAULT 0,
ADD COLUMN tried_at timestamptz;

ALTER TABLE contact_sync.ledger ADD COLUMN off_list boolean;
CREATE INDEX ledger_unseen ON contact_sync.ledger (sync_id, email_hash)
WHERE state = 'excluded' AND off_list IS NULL;
CREATE INDEX removal_by_hash ON contact_sync.removal (sync_id, email_hash);

CREATE VIEW contact_sync.excluded_address AS
SELECT
    sync_id,
    email_hash
FROM contact_sync.ledger
WHERE state = 'excluded' AND reason <> 'removed_by_hand' AND absent = 0 AND email_hash <> 0;
COMMENT ON VIEW contact_sync.excluded_address IS
'Addresses that B2CORE excludes, by hash: nobody may have a contact there.';

ALTER TABLE contact_sync.ledger DROP CONSTRAINT ledger_reason;
ALTER TABLE contact_sync.ledger ADD CONSTRAINT ledger_reason CHECK (
    (detail IS NULL OR reason IS NOT NULL)
    AND CASE state
        WHEN 'pending'
            THEN reason IN (
                'changed_while_read', 'gone_while_read', 'changed_since_read', 'suppression_unknown',
                'suppression_not_carried', 'not_shown', 'fate_unknown', 'job_unknown_to_sendgrid',
                'job_never_ended', 'upload_never_arrived', 'not_applied', 'errors_file_unclear', 'job_failed'
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

ALTER TABLE contact_sync.batch DROP CONSTRAINT batch_outcome;
ALTER TABLE contact_sync.batch ADD CONSTRAINT batch_outcome CHECK (
    outcome IN (
        'applied', 'nothing_left', 'all_refused', 'sent_again', 'split', 'failed_alone', 'rejected_alone',
        'removed', 'unlisted', 'not_removed', 'still_shown', 'deletions_unclear', 'nothing_there', 'list_gone',
        'not_found_yet', 'unsearchable', 'fate_unknown', 'job_unknown_to_sendgrid', 'job_never_ended',
        'upload_never_arrived', 'not_applied', 'errors_file_unclear', 'job_failed'
    )
);

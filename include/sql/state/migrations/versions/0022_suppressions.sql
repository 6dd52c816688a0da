-- Suppressions of SendGrid's account, as each sync has read them.
CREATE TABLE contact_sync.suppression (
    sync_id smallint NOT NULL,
    email text NOT NULL,
    kind text NOT NULL
    CONSTRAINT suppression_kind CHECK (
        kind IN ('unsubscribe', 'group_unsubscribe', 'spam_report', 'invalid', 'bounce', 'block')
    ),
    group_id integer NOT NULL DEFAULT 0,
    email_hash bigint NOT NULL,
    since timestamptz,
    first_seen timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    missed boolean NOT NULL DEFAULT FALSE,
    gone_at timestamptz,
    PRIMARY KEY (sync_id, email, kind, group_id)
);
CREATE INDEX suppression_in_force ON contact_sync.suppression (sync_id, kind, email_hash) WHERE gone_at IS NULL;
CREATE INDEX suppression_news ON contact_sync.suppression (sync_id, first_seen);
CREATE INDEX suppression_lifted ON contact_sync.suppression (sync_id, gone_at) WHERE gone_at IS NOT NULL;
COMMENT ON TABLE contact_sync.suppression
IS 'Who gets no mail from SendGrid, and why; only of syncs whose definition says `suppressions`.';
COMMENT ON COLUMN contact_sync.suppression.email IS 'The address, in lower case.';
COMMENT ON COLUMN contact_sync.suppression.kind
IS 'unsubscribe (from everything), group_unsubscribe, spam_report, invalid, bounce or block.';
COMMENT ON COLUMN contact_sync.suppression.group_id IS 'SendGrid''s unsubscribe group; 0 = of no group.';
COMMENT ON COLUMN contact_sync.suppression.email_hash IS 'xxh3 of the address, as in the ledger; 0 = no valid one.';
COMMENT ON COLUMN contact_sync.suppression.since IS 'Since when, as SendGrid says; NULL = it doesn''t.';
COMMENT ON COLUMN contact_sync.suppression.first_seen
IS 'When a run read it first; anew if it had been lifted in between.';
COMMENT ON COLUMN contact_sync.suppression.seen_at
IS 'When a reading of everything, or the first one, has shown it last.';
COMMENT ON COLUMN contact_sync.suppression.missed
IS 'The last reading of everything didn''t show it: if the next one doesn''t either, it is lifted.';
COMMENT ON COLUMN contact_sync.suppression.gone_at
IS 'When two readings in a row didn''t show it: it was lifted at SendGrid; NULL = it is in force.';

CREATE TABLE contact_sync.suppression_reading (
    sync_id smallint NOT NULL,
    kind text NOT NULL,
    read_to timestamptz NOT NULL,
    whole_at timestamptz,
    PRIMARY KEY (sync_id, kind)
);
COMMENT ON TABLE contact_sync.suppression_reading IS 'Up to when each kind of suppression has been read.';
COMMENT ON COLUMN contact_sync.suppression_reading.kind IS 'As of suppression.';
COMMENT ON COLUMN contact_sync.suppression_reading.read_to IS 'When the last finished reading began.';
COMMENT ON COLUMN contact_sync.suppression_reading.whole_at
IS 'When the last reading of everything began; NULL = the next one reads everything.';

-- One more reason why a client is excluded (ExclusionReason in base/vocabulary.py).
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
        WHEN 'excluded'
            THEN reason IN ('excluded_by_b2core', 'excluded_address', 'removed_by_hand', 'suppressed_at_sendgrid')
        ELSE TRUE
    END
);

-- Which values of which clients SendGrid lacks, or has cut or rounded, because they don't fit; never the value itself.

CREATE TABLE contact_sync.dropped_value (
    sync_id smallint NOT NULL,
    client_id bigint NOT NULL,
    field text NOT NULL,
    reason text NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (sync_id, client_id, field),
    CONSTRAINT dropped_value_reason CHECK (reason IN (
        'missing', 'invalid', 'too_long', 'not_a_number', 'not_a_date', 'rounded', 'two_addresses',
        'look_alike_domain', 'not_ascii', 'no_country', 'unknown_country', 'number_too_short',
        'number_too_long', 'not_assigned', 'two_numbers', 'no_number'
    ))
);
CREATE INDEX dropped_value_reasons ON contact_sync.dropped_value (sync_id, field, reason, client_id);
COMMENT ON TABLE contact_sync.dropped_value
IS 'Values of clients whose contact SendGrid has, or will have, that don''t fit their field: they are left out, cut or '
'rounded. A rejected, excluded or shared client has none.';
COMMENT ON COLUMN contact_sync.dropped_value.field IS 'SendGrid''s field.';
COMMENT ON COLUMN contact_sync.dropped_value.reason
IS 'Why it doesn''t fit: a code. Too long and rounded values are sent, shortened.';
COMMENT ON COLUMN contact_sync.dropped_value.since IS 'When a run saw it first, without seeing the value mended since.';

-- Only a full run finds those that are there already, so the next run of each sync is one.
UPDATE contact_sync.sync SET last_full_at = NULL;

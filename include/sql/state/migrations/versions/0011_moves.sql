-- What a contact holds goes along when its client's address changes; and which fields, empty in B2CORE, SendGrid may
-- hold a value in is stored.
ALTER TABLE contact_sync.outbox ADD COLUMN unsure bigint NOT NULL DEFAULT 0;
ALTER TABLE contact_sync.outbox ADD COLUMN unsure_others bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN contact_sync.outbox.unsure
IS 'Empty Text fields in which SendGrid may hold a value, for all that is known, by bit: a JSON request empties them.';
COMMENT ON COLUMN contact_sync.outbox.unsure_others
IS 'The same of Number and Date fields, which nothing empties.';
ALTER TABLE contact_sync.outbox ADD COLUMN suppress_groups integer[];
COMMENT ON COLUMN contact_sync.outbox.suppress
IS 'The former address is suppressed: suppress this one before it is uploaded.';
COMMENT ON COLUMN contact_sync.outbox.suppress_groups
IS 'From which unsubscribe groups, 0 = from everything; NULL = from everything.';

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
    o.clears | CASE WHEN b.lane = 'json' THEN o.unsure ELSE 0 END AS clears,
    o.takes_over,
    o.suppress,
    o.suppress_groups,
    o.stale,
    o.unsure | o.unsure_others AS unsure
FROM contact_sync.batch AS b
INNER JOIN contact_sync.outbox AS o
    ON
        b.run_id = o.run_id
        AND o.client_id BETWEEN b.first_id AND b.last_id
        AND (b.json_only IS NULL OR o.json_only = b.json_only);
COMMENT ON VIEW contact_sync.batch_contact
IS 'The outbox rows of each batch: a range of client ids of its run.';

CREATE TABLE contact_sync.move (
    sync_id smallint NOT NULL,
    client_id bigint NOT NULL,
    former_hash bigint NOT NULL,
    former text,
    email text NOT NULL,
    belongings jsonb,
    batch_id bigint,
    tries smallint NOT NULL DEFAULT 0,
    noted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sync_id, client_id, former_hash)
);
COMMENT ON TABLE contact_sync.move
IS 'What goes along from a former contact to a client''s new one; a row ends when the new one is seen with it.';
COMMENT ON COLUMN contact_sync.move.former_hash
IS 'xxh3 of former; 0 = the client only loses what another one leaves at its address.';
COMMENT ON COLUMN contact_sync.move.former IS 'The former address, whose contact isn''t removed before.';
COMMENT ON COLUMN contact_sync.move.email IS 'The new address.';
COMMENT ON COLUMN contact_sync.move.belongings
IS 'Lists and values of fields that no sync fills; NULL = SendGrid hasn''t shown the former contact yet.';
COMMENT ON COLUMN contact_sync.move.batch_id IS 'The batch that carries it, once there is one.';
COMMENT ON COLUMN contact_sync.move.tries IS 'How often it was sent and not seen afterwards.';
COMMENT ON COLUMN contact_sync.move.noted_at IS 'Since when it is known.';

ALTER TABLE contact_sync.batch DROP CONSTRAINT batch_lane_check;
ALTER TABLE contact_sync.batch ADD CONSTRAINT batch_lane_check CHECK (
    lane IN ('json', 'csv', 'delete', 'unlist', 'move')
);
ALTER TABLE contact_sync.batch DROP CONSTRAINT batch_outcome;
ALTER TABLE contact_sync.batch ADD CONSTRAINT batch_outcome CHECK (outcome IN (
    'applied', 'nothing_left', 'all_refused', 'sent_again', 'split', 'failed_alone', 'rejected_alone', 'removed',
    'unlisted', 'not_removed', 'still_shown', 'deletions_unclear', 'nothing_there', 'list_gone', 'not_found_yet',
    'unsearchable', 'moved', 'not_moved', 'move_refused', 'fate_unknown', 'job_unknown_to_sendgrid', 'job_never_ended',
    'upload_never_arrived', 'not_applied', 'errors_file_unclear', 'job_failed'
));

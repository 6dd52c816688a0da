-- What a run changes, client by client, for people.
CREATE TABLE contact_sync.change (
    run_id bigint NOT NULL REFERENCES contact_sync.run ON DELETE CASCADE,
    sync_id smallint NOT NULL,
    client_id bigint NOT NULL,
    kind text NOT NULL CONSTRAINT change_kind CHECK (kind IN (
        'new', 'changed', 'moved', 'sent_again', 'cleared', 'removed', 'unlisted', 'absent', 'excluded', 'rejected',
        'dropped'
    )),
    field text NOT NULL DEFAULT '',
    reason text,
    detail text,
    fields bigint,
    before_after bytea,
    state text,
    batch_id bigint,
    PRIMARY KEY (run_id, kind, client_id, field)
) WITH (fillfactor = 70);
CREATE INDEX change_by_client ON contact_sync.change (sync_id, client_id);
COMMENT ON TABLE contact_sync.change
IS 'What a run changes, client by client, for people; of each slice the first ones of a kind. No run reads it.';
COMMENT ON COLUMN contact_sync.change.kind
IS 'new, changed, moved, sent_again, cleared, removed, unlisted, absent, excluded, rejected; dropped: a value unfit.';
COMMENT ON COLUMN contact_sync.change.field
IS 'Of a rejection or a dropped value: SendGrid''s field; empty for the others.';
COMMENT ON COLUMN contact_sync.change.reason
IS 'Why, a code: of what is kept back, left out or removed, and of what SendGrid didn''t confirm.';
COMMENT ON COLUMN contact_sync.change.detail IS 'The reason in the words of others, as in the ledger.';
COMMENT ON COLUMN contact_sync.change.fields
IS 'Fields that differ from what SendGrid showed before, by bit; NULL = the contact wasn''t compared.';
COMMENT ON COLUMN contact_sync.change.before_after
IS 'Values of these fields before and after, encrypted; only where the definition says `changes: {values: encrypted}`.';
COMMENT ON COLUMN contact_sync.change.state
IS 'The client''s fate in the ledger when the run ended; NULL = it hasn''t ended, or has nothing to do with it.';
COMMENT ON COLUMN contact_sync.change.batch_id IS 'The batch of this run that it was in; NULL as above.';

CREATE VIEW contact_sync.to_do AS
SELECT
    sync_id,
    client_id,
    'rejected' AS what,
    field,
    reason,
    detail,
    rejected_since AS since,
    tries::integer AS tries
FROM contact_sync.ledger
WHERE state = 'rejected'
UNION ALL
SELECT
    sync_id,
    client_id,
    'dropped' AS what,
    field,
    reason,
    NULL AS detail,
    since,
    NULL AS tries
FROM contact_sync.dropped_value
UNION ALL
SELECT
    sync_id,
    client_id,
    'excluded' AS what,
    NULL AS field,
    reason,
    detail,
    updated_at AS since,
    NULL AS tries
FROM contact_sync.ledger
WHERE state = 'excluded'
UNION ALL
SELECT
    l.sync_id,
    l.client_id,
    'stale' AS what,
    f.name AS field,
    NULL AS reason,
    NULL AS detail,
    l.updated_at AS since,
    NULL AS tries
FROM contact_sync.ledger AS l
INNER JOIN contact_sync.sync AS s ON l.sync_id = s.sync_id
CROSS JOIN LATERAL unnest(s.fields) WITH ORDINALITY AS f (name, position)
WHERE l.stale <> 0 AND (l.stale >> (f.position - 1)::int) & 1 = 1
UNION ALL
SELECT
    c.sync_id,
    c.client_id,
    'held' AS what,
    NULL AS field,
    NULL AS reason,
    NULL AS detail,
    r.started_at AS since,
    NULL AS tries
FROM contact_sync.change AS c
INNER JOIN contact_sync.run AS r ON c.run_id = r.run_id
WHERE
    c.kind = 'absent'
    AND (r.snapshot ->> 'held')::integer > 0
    AND r.run_id = (
        SELECT max(n.run_id) FROM contact_sync.run AS n
        WHERE n.sync_id = c.sync_id AND n.state = 'succeeded' AND NOT n.dry_run AND n.only_clients IS NULL
    );
COMMENT ON VIEW contact_sync.to_do
IS 'Clients with whom a person has something to do: rejected, excluded, held; values that don''t fit, or are stale.';

-- Addresses to be unsubscribed from everything at SendGrid, because B2CORE has excluded their clients.
CREATE TABLE contact_sync.suppression_due (
    sync_id smallint NOT NULL,
    email text NOT NULL,
    email_hash bigint NOT NULL,
    client_id bigint NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now(),
    shown boolean NOT NULL DEFAULT FALSE,
    PRIMARY KEY (sync_id, email)
);
COMMENT ON TABLE contact_sync.suppression_due
IS 'Who is to be unsubscribed from everything at SendGrid; only of syncs whose definition says `suppress_excluded`.';
COMMENT ON COLUMN contact_sync.suppression_due.email IS 'The address of a contact that this sync has sent.';
COMMENT ON COLUMN contact_sync.suppression_due.email_hash IS 'xxh3 of email.';
COMMENT ON COLUMN contact_sync.suppression_due.client_id IS 'Whose address it was; 0 = nobody knows a client of it.';
COMMENT ON COLUMN contact_sync.suppression_due.noted_at IS 'Since when it is known.';
COMMENT ON COLUMN contact_sync.suppression_due.shown
IS 'SendGrid has shown it; the row stays while the contact''s removal does, so that nothing is sent twice.';

CREATE VIEW contact_sync.excluded_by_b2core AS
SELECT
    sync_id,
    client_id,
    email_hash
FROM contact_sync.ledger
WHERE state = 'excluded' AND reason IN ('excluded_by_b2core', 'excluded_address');
COMMENT ON VIEW contact_sync.excluded_by_b2core
IS 'Clients that B2CORE excludes, by their own row or by another client''s with the same address.';

CREATE VIEW contact_sync.new_suppression_due AS
SELECT
    a.sync_id,
    a.email,
    a.email_hash,
    a.client_id
FROM contact_sync.removal AS a
WHERE
    a.why = 'excluded'
    AND NOT a.kept
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.suppression_due AS d
        WHERE d.sync_id = a.sync_id AND d.email = a.email
    )
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.removal AS k
        WHERE k.sync_id = a.sync_id AND k.email_hash = a.email_hash AND k.why = 'excluded' AND k.kept
    )
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.address_holder AS h
        WHERE h.contact_hash = a.email_hash AND h.sync_id <> a.sync_id
    )
    AND (
        EXISTS (
            SELECT 1 FROM contact_sync.excluded_by_b2core AS x
            WHERE x.sync_id = a.sync_id AND x.client_id = a.client_id
        )
        OR EXISTS (
            SELECT 1 FROM contact_sync.excluded_by_b2core AS x
            WHERE x.sync_id = a.sync_id AND x.email_hash = a.email_hash
        )
    );
COMMENT ON VIEW contact_sync.new_suppression_due
IS 'Contacts of clients that B2CORE has newly excluded, before they leave or are kept; not those of another sync.';

-- A verification stores a number for each client, and whole contacts only of those that aren't equal.
DROP VIEW contact_sync.verify_pair;
TRUNCATE contact_sync.verify_client, contact_sync.verify_contact;
UPDATE contact_sync.verification SET
    export_hash = NULL,
    snapshot = NULL
WHERE state = 'running' AND compared_at IS NULL;

ALTER TABLE contact_sync.verification ADD COLUMN unequal_contacts bigint;
COMMENT ON COLUMN contact_sync.verification.unequal_contacts
IS 'How many contacts the account''s side stores while it is under way: those that no client calls for as they are.';

ALTER TABLE contact_sync.verify_client
DROP COLUMN field_hashes,
ADD COLUMN row_hash bigint NOT NULL;
COMMENT ON COLUMN contact_sync.verify_client.row_hash
IS 'xxh3 of the address and all values as they would be sent, as in the ledger.';
COMMENT ON COLUMN contact_sync.verify_client.left_out
IS 'Fields in which SendGrid may hold anything: it refused the value, or can''t clear it; by position in the mapping.';

ALTER TABLE contact_sync.verify_contact
ADD COLUMN is_called_for boolean NOT NULL,
ADD COLUMN row_hash bigint NOT NULL;
COMMENT ON TABLE contact_sync.verify_contact
IS 'Of the account''s side of a verification that is under way: the contacts that no client calls for as they are.';
COMMENT ON COLUMN contact_sync.verify_contact.is_called_for IS 'Whether a client calls for a contact of this address.';
COMMENT ON COLUMN contact_sync.verify_contact.row_hash
IS 'As of verify_client, of what the contact holds; 0 = there are several contacts of the address.';

CREATE UNLOGGED TABLE contact_sync.verify_unequal (
    verification_id bigint NOT NULL,
    client_id bigint NOT NULL,
    field_hashes bytea,
    has_moved boolean NOT NULL
);
COMMENT ON TABLE contact_sync.verify_unequal
IS 'Of B2CORE''s side: the clients that call for a contact which isn''t there, or not exactly so.';
COMMENT ON COLUMN contact_sync.verify_unequal.field_hashes
IS 'As of verify_contact, of what the client calls for; NULL = there is no contact, or B2CORE''s row has changed.';
COMMENT ON COLUMN contact_sync.verify_unequal.has_moved
IS 'B2CORE''s row has changed since its side was read: a run has to see it.';

CREATE VIEW contact_sync.verify_pair AS
SELECT
    u.verification_id,
    u.client_id,
    c.email_hash,
    c.waits OR u.has_moved AS waits,
    c.row_hash AS called_hash,
    u.field_hashes AS called_for,
    c.left_out,
    a.row_hash AS held_hash,
    a.field_hashes AS held,
    a.unclear,
    a.updated_at,
    a.email_hash IS NOT NULL AS has_contact,
    coalesce(a.on_list, FALSE) AS on_list
FROM contact_sync.verify_unequal AS u
INNER JOIN contact_sync.verify_client AS c ON u.verification_id = c.verification_id AND u.client_id = c.client_id
LEFT JOIN contact_sync.verify_contact AS a
    ON c.verification_id = a.verification_id AND c.email_hash = a.email_hash AND a.is_called_for;
COMMENT ON VIEW contact_sync.verify_pair
IS 'Of a verification that is under way: each client of verify_unequal, with the contact of its address.';

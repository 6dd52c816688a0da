-- Contacts that are staged many at once, of clients that the sync doesn't know yet (state/outbox_blocks.py).
CREATE TABLE contact_sync.outbox_block (
    run_id bigint NOT NULL REFERENCES contact_sync.run (run_id) ON DELETE CASCADE,
    first_id bigint NOT NULL,
    last_id bigint NOT NULL,
    contacts integer NOT NULL,
    client_ids bigint[] NOT NULL,
    email_hashes bigint[] NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (run_id, first_id)
);
-- PostgreSQL would try to compress what hardly can be, or is already, at five times the cost of writing it.
ALTER TABLE contact_sync.outbox_block ALTER COLUMN client_ids SET STORAGE EXTERNAL;
ALTER TABLE contact_sync.outbox_block ALTER COLUMN email_hashes SET STORAGE EXTERNAL;
ALTER TABLE contact_sync.outbox_block ALTER COLUMN content SET STORAGE EXTERNAL;

CREATE VIEW contact_sync.staged_client AS
SELECT
    o.run_id,
    o.client_id,
    o.email_hash
FROM contact_sync.outbox AS o
UNION ALL
SELECT
    k.run_id,
    c.client_id,
    c.email_hash
FROM contact_sync.outbox_block AS k
CROSS JOIN LATERAL unnest(k.client_ids, k.email_hashes) AS c (client_id, email_hash);

CREATE VIEW contact_sync.batch_block AS
SELECT
    b.batch_id,
    b.sync_id,
    k.run_id,
    k.first_id,
    k.contacts,
    k.client_ids,
    k.email_hashes,
    k.content
FROM contact_sync.batch AS b
INNER JOIN contact_sync.outbox_block AS k
    ON b.run_id = k.run_id AND k.first_id BETWEEN b.first_id AND b.last_id
WHERE b.lane = 'csv';

CREATE VIEW contact_sync.batch_client AS
SELECT
    o.batch_id,
    o.sync_id,
    o.client_id,
    o.email_hash
FROM contact_sync.batch_contact AS o
UNION ALL
SELECT
    k.batch_id,
    k.sync_id,
    c.client_id,
    c.email_hash
FROM contact_sync.batch_block AS k
CROSS JOIN LATERAL unnest(k.client_ids, k.email_hashes) AS c (client_id, email_hash);

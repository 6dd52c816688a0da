-- Whom a client id belongs to: another key and another address are another person.
ALTER TABLE contact_sync.ledger ADD COLUMN person_hash bigint;
ALTER TABLE contact_sync.outbox ADD COLUMN person_hash bigint;
CREATE OR REPLACE VIEW contact_sync.batch_contact AS
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
    o.unsure | o.unsure_others AS unsure,
    o.person_hash
FROM contact_sync.batch AS b
INNER JOIN contact_sync.outbox AS o
    ON
        b.run_id = o.run_id
        AND o.client_id BETWEEN b.first_id AND b.last_id
        AND (b.json_only IS NULL OR o.json_only = b.json_only);

-- Purpose:    forget the payloads of a settled batch: personal data stays only while in flight
-- Parameters: batch_id
-- Index:      outbox primary key
DELETE FROM contact_sync.outbox AS o
USING contact_sync.batch AS b
WHERE
    b.batch_id = %(batch_id)s
    AND o.run_id = b.run_id
    AND o.client_id BETWEEN b.first_id AND b.last_id
    AND (b.json_only IS NULL OR o.json_only = b.json_only)

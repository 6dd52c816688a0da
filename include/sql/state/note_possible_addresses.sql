-- Purpose:    a moved client's batch has an unknown fate: a contact may exist under the new address
--             although the ledger still names the old one; remember it for removal, from now on
-- Parameters: batch_id; emails, null = all; runs before postpone_batch.sql, in the same transaction
-- Index:      outbox and ledger primary keys
INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id)
SELECT DISTINCT ON (o.email)
    o.sync_id,
    o.email,
    o.email_hash,
    o.client_id
FROM contact_sync.batch_contact AS o
INNER JOIN contact_sync.ledger AS l
    ON o.sync_id = l.sync_id AND o.client_id = l.client_id
WHERE
    o.batch_id = %(batch_id)s
    AND (%(emails)s::text[] IS NULL OR o.email = any(%(emails)s))
    AND l.contact_hash <> o.email_hash
ORDER BY o.email ASC, o.client_id DESC
ON CONFLICT (sync_id, email, list_id) DO UPDATE SET noted_at = excluded.noted_at

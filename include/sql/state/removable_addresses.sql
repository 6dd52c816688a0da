-- Purpose:    contacts to be removed whose address is no client's, in the source or at SendGrid; an excluded
--             client protects no address, nor does a client that has left an excluded one's; one that this run is
--             about to send does. What this run has tried in vain waits for the next one
-- Parameters: sync_id, run_id, whys
-- Columns:    email, list_id, why, others = the lists of other syncs that hold the contact, '' = no list
-- Index:      none: two scans of the ledger, only when removal has rows
WITH elsewhere AS (
    SELECT
        l.contact_hash,
        array_agg(DISTINCT coalesce(s.destination #>> '{mapping,list_id}', '')) AS lists
    FROM contact_sync.ledger AS l
    INNER JOIN contact_sync.sync AS s ON l.sync_id = s.sync_id
    WHERE
        l.sync_id <> %(sync_id)s
        AND (l.state <> 'excluded' OR l.reason = 'shared_address')
        AND l.contact_hash IN (
            SELECT m.email_hash FROM contact_sync.removal AS m
            WHERE m.sync_id = %(sync_id)s
        )
    GROUP BY l.contact_hash
)

SELECT
    a.email,
    a.list_id,
    a.why,
    coalesce(e.lists, '{}') AS others
FROM contact_sync.removal AS a
LEFT JOIN elsewhere AS e ON a.email_hash = e.contact_hash
WHERE
    a.sync_id = %(sync_id)s
    AND a.why = any(%(whys)s)
    AND NOT a.kept
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.batch AS b
        WHERE b.batch_id = a.batch_id AND b.run_id = %(run_id)s
    )
    AND (
        a.why = 'list_changed'
        OR (
            NOT EXISTS (
                SELECT 1 FROM contact_sync.ledger AS l
                WHERE
                    l.sync_id = a.sync_id
                    AND l.contact_hash = a.email_hash
                    AND (l.state <> 'excluded' OR l.reason = 'shared_address')
                    AND (a.why <> 'excluded' OR l.email_hash = l.contact_hash)
            )
            AND NOT EXISTS (
                SELECT 1 FROM contact_sync.ledger AS l
                WHERE
                    l.sync_id = a.sync_id
                    AND l.email_hash = a.email_hash
                    AND (l.state <> 'excluded' OR l.reason = 'shared_address')
            )
            AND NOT EXISTS (
                SELECT 1 FROM contact_sync.outbox AS o
                WHERE o.run_id = %(run_id)s AND o.email_hash = a.email_hash
            )
        )
    )
ORDER BY a.why, a.list_id, a.email

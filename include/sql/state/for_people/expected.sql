-- state/for_people/expected.py; only reads. What a full run would send as far as the sync knows by itself: the numbers
-- of a page, so that none of these reads a row for each client.

-- sync --
-- Where the sync stands. edition: of the definition of this run, null = of the newest one that had a plan to send.
-- Index: run_by_sync
SELECT
    s.sync_id,
    s.unproven,
    s.watermark,
    now() AS now,
    (
        SELECT r.definition_hash FROM contact_sync.run AS r
        WHERE r.sync_id = s.sync_id AND coalesce(r.run_id = %(run_id)s, NOT r.dry_run AND r.plan IS NOT NULL)
        ORDER BY r.run_id DESC
        LIMIT 1
    ) AS edition
FROM contact_sync.sync AS s
WHERE s.name = %(name)s;

-- pending --
-- Clients that are sent again. Index: ledger_unconfirmed, alone
SELECT count(*) AS n FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND state = 'pending';

-- new_of_pending --
-- Of the first at_most of them, those that SendGrid has no contact of. Index: ledger_unconfirmed
SELECT
    count(*) AS n,
    count(*) FILTER (WHERE p.contact_hash IS NULL) AS new
FROM (
    SELECT l.contact_hash FROM contact_sync.ledger AS l
    WHERE l.sync_id = %(sync_id)s AND l.state = 'pending'
    ORDER BY l.client_id
    LIMIT %(at_most)s
) AS p;

-- removals --
-- Contacts that are noted for removal, by reason. Index: removal_noted, alone
SELECT
    why,
    count(*) AS n
FROM contact_sync.removal
WHERE sync_id = %(sync_id)s AND NOT kept
GROUP BY why;

-- absent --
-- Clients that weren't in B2CORE when a run looked, and still have a contact. Index: ledger_absent
SELECT count(*) AS n FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND absent > 0 AND email IS NOT NULL;

-- refused --
-- When clients that SendGrid rejected were so first and last, at_most of them. Parameters: reasons
-- Index: ledger_unconfirmed
SELECT
    rejected_since AS first,
    updated_at AS last
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND state = 'rejected' AND reason = any(%(reasons)s) AND absent = 0
ORDER BY client_id
LIMIT %(at_most)s;

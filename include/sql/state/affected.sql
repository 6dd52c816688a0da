-- Who in the ledger has to do with clients that changed in B2CORE (state/affected.py).

-- waiting --
-- Whom every run looks at, whatever changed: pending clients, those whose address in B2CORE isn't known any more, and
-- those that the last snapshots didn't hold. Who is rejected for having no address has none.
-- Index: ledger_unconfirmed, ledger_unknown_address, ledger_absent
SELECT client_id FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND state = 'pending'
UNION
SELECT client_id FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND email_hash = 0 AND (state <> 'rejected' OR reason <> 'missing')
UNION
SELECT client_id FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND absent > 0;

-- rejected_sharing --
-- Rejected clients whose address others have, too: who represents it depends on what became of them. Each is looked up,
-- and counted up to two: of EXISTS the planner would make a join, which reads the whole ledger.
-- Index: ledger_unconfirmed, ledger_address (state/address_index.py)
SELECT r.client_id
FROM contact_sync.ledger AS r
WHERE
    r.sync_id = %(sync_id)s
    AND r.state = 'rejected'
    AND r.email_hash <> 0
    AND (
        SELECT count(*)
        FROM (
            SELECT 1 FROM contact_sync.ledger AS o
            WHERE o.sync_id = r.sync_id AND o.email_hash = r.email_hash
            LIMIT 2  -- noqa: AM09
        ) AS sharers
    ) > 1;

-- addresses_of --
-- The addresses in B2CORE, as hashes, that clients had when they were looked at last.
-- Index: ledger primary key
SELECT DISTINCT email_hash
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND client_id = any(%(client_ids)s::bigint[]) AND email_hash <> 0;

-- sharing --
-- Clients with these addresses in B2CORE. Index: ledger_address
SELECT client_id
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND email_hash = any(%(email_hashes)s::bigint[]);

-- taken --
-- Which of these addresses have a contact, or may have one that is no client's.
-- Index: ledger_address, ledger_former_contact, removal_by_hash
SELECT email_hash AS taken FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND email_hash = any(%(email_hashes)s::bigint[]) AND contact_hash = email_hash
UNION
SELECT contact_hash FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND contact_hash = any(%(email_hashes)s::bigint[]) AND contact_hash <> email_hash
UNION
SELECT email_hash FROM contact_sync.removal
WHERE sync_id = %(sync_id)s AND email_hash = any(%(email_hashes)s::bigint[]) AND why <> 'list_changed';

-- run_before --
-- The sync's newest real run before this one: whether it leaves the ledger as an incremental run that succeeded does,
-- whether it looked at nobody and sent nothing, and whether since it began a verification has been at work, or an
-- erasure was lifted (a minute more: the moment is that at which the lifting transaction began); its books.
-- Parameters: sync_id, run_id, definition_hash. Index: run_by_sync
SELECT
    r.kind,
    coalesce(
        r.state = 'succeeded'
        AND r.kind = 'incremental'
        AND r.only_clients IS NULL
        AND r.definition_hash = %(definition_hash)s,
        FALSE
    ) AS is_fit,
    coalesce((r.snapshot ->> 'chosen')::bigint = 0 AND r.result -> 'jobs' = '[]'::jsonb, FALSE) AS was_quiet,
    exists(
        SELECT 1 FROM contact_sync.verification AS v
        WHERE v.sync_id = r.sync_id AND (v.finished_at IS NULL OR v.finished_at >= r.started_at)
    ) AS is_verified,
    exists(
        SELECT 1 FROM contact_sync.erasure AS e
        WHERE e.lifted_at >= r.started_at - interval '1 minute'
    ) AS is_lifted,
    coalesce(r.result -> 'books', '{}'::jsonb) AS books
FROM contact_sync.run AS r
WHERE r.sync_id = %(sync_id)s AND NOT r.dry_run AND r.run_id < %(run_id)s
ORDER BY r.run_id DESC
LIMIT 1;

-- forget_counts --
-- The next run reads B2CORE as a whole: the ledger was changed by something that no change in B2CORE tells of.
UPDATE contact_sync.sync SET watermark = watermark - 'counts'
WHERE sync_id = %(sync_id)s;

-- count_present --
-- How many of these clients the ledger knows, and the last snapshots held. Index: ledger primary key
SELECT count(*) AS n
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND client_id = any(%(client_ids)s::bigint[]) AND absent = 0;

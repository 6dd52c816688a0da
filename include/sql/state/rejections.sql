-- Rejections that SendGrid is the cause of, and that a look-up may disprove (state/rejections.py).

-- to_look_up --
-- Clients whose rejection nobody has looked up yet, or not for so long; those first that wait longest.
-- Parameters: reasons = of SendGrid; hours, at_most. Index: ledger_unconfirmed
SELECT
    client_id,
    row_hash
FROM contact_sync.ledger
WHERE
    sync_id = %(sync_id)s
    AND state = 'rejected'
    AND reason = any(%(reasons)s)
    AND row_hash IS NOT NULL
    AND absent = 0
    AND (
        looked_up_at IS NULL
        OR looked_up_at NOT BETWEEN now() - make_interval(secs => %(hours)s * 3600) AND now()
    )
ORDER BY looked_up_at ASC NULLS FIRST, client_id ASC
LIMIT %(at_most)s;

-- see --
-- These clients' contacts were looked up. Index: ledger primary key
UPDATE contact_sync.ledger SET looked_up_at = now()
WHERE sync_id = %(sync_id)s AND client_id = any(%(client_ids)s::bigint[]);

-- note_former --
-- A confirmed client's contact has another address than the ledger knew: the former one is to be removed.
-- Parameters: client_id, email_hash; runs before confirm, in the same transaction
INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id)
SELECT
    sync_id,
    email,
    contact_hash,
    client_id
FROM contact_sync.ledger
WHERE
    sync_id = %(sync_id)s
    AND client_id = %(client_id)s
    AND state = 'rejected'
    AND row_hash = %(row_hash)s
    AND contact_hash <> %(email_hash)s
ON CONFLICT (sync_id, email, list_id) DO NOTHING;

-- confirm --
-- The contact is as B2CORE calls for: it was applied all the same.
-- Parameters: client_id, email, email_hash, row_hash, filled, stale
UPDATE contact_sync.ledger AS l SET
    state = 'confirmed',
    email_hash = %(email_hash)s,
    email = %(email)s,
    contact_hash = %(email_hash)s,
    filled = %(filled)s,
    stale = %(stale)s,
    field = NULL,
    reason = NULL,
    detail = NULL,
    rejected_since = NULL,
    tries = 0,
    looks = 0,
    looked_hash = NULL,
    retaken = 0,
    looked_up_at = NULL,
    unconfirmed = FALSE,
    updated_at = now()
WHERE
    l.sync_id = %(sync_id)s
    AND l.client_id = %(client_id)s
    AND l.state = 'rejected'
    AND l.row_hash = %(row_hash)s
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.ledger AS o
        WHERE o.sync_id = l.sync_id AND o.contact_hash = %(email_hash)s AND o.client_id <> l.client_id
    );

-- try_again --
-- The contact is there with other values: its client is sent again, with a job of its own, as often as at_most while
-- nothing changes in it. What the contact holds is known now.
-- Parameters: client_id, email, email_hash, row_hash, filled, reasons = those that may be wrong, at_most, tries, reason
UPDATE contact_sync.ledger SET
    state = 'pending',
    email = coalesce(email, %(email)s),
    contact_hash = coalesce(contact_hash, %(email_hash)s),
    filled = filled | CASE WHEN coalesce(contact_hash, %(email_hash)s) = %(email_hash)s THEN %(filled)s ELSE 0 END,
    retaken = CASE WHEN looked_hash = row_hash THEN retaken + 1 ELSE 1 END,
    looked_hash = row_hash,
    looks = 0,
    tries = greatest(tries, %(tries)s),
    row_hash = NULL,
    field = NULL,
    reason = %(reason)s,
    detail = NULL,
    looked_up_at = NULL,
    unconfirmed = FALSE,
    updated_at = now()
WHERE
    sync_id = %(sync_id)s
    AND client_id = %(client_id)s
    AND state = 'rejected'
    AND row_hash = %(row_hash)s
    AND reason = any(%(reasons)s)
    AND (looked_hash IS DISTINCT FROM row_hash OR retaken < %(at_most)s);

-- retry --
-- Clients that SendGrid rejected are sent again, each with a job of its own: so long after they were rejected last as
-- that was after they were rejected first, but not before so many hours and at the latest after max_hours.
-- Parameters: reasons = of SendGrid; hours, max_hours, at_most, tries, reason. Index: ledger_rejected_reasons
UPDATE contact_sync.ledger SET
    state = 'pending',
    tries = greatest(tries, %(tries)s),
    looks = 0,
    row_hash = NULL,
    field = NULL,
    reason = %(reason)s,
    detail = NULL,
    looked_up_at = NULL,
    updated_at = now()
WHERE sync_id = %(sync_id)s AND client_id IN (
    SELECT due.client_id FROM contact_sync.ledger AS due
    WHERE
        due.sync_id = %(sync_id)s
        AND due.state = 'rejected'
        AND due.reason = any(%(reasons)s)
        AND due.absent = 0
        AND now() - due.updated_at >= least(
            greatest(due.updated_at - due.rejected_since, make_interval(secs => %(hours)s * 3600)),
            make_interval(secs => %(max_hours)s * 3600)
        )
    ORDER BY due.updated_at
    LIMIT %(at_most)s
);

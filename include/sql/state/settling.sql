-- What becomes of the clients of a batch (state/settling.py): each statement is one step of one transaction.

-- note_possible_addresses --
-- A moved client's batch has an unknown fate: a contact may exist under the new address
-- although the ledger still names the old one; remember it for removal, from now on
-- Parameters: batch_id; emails, null = all; runs before postpone_batch, in the same transaction
-- Index: outbox and ledger primary keys
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
ON CONFLICT (sync_id, email, list_id) DO UPDATE SET noted_at = excluded.noted_at;

-- postpone_batch --
-- A batch of which SendGrid applied nothing, or nobody knows what: its clients become
-- pending and are sent again by the next run
-- Parameters: batch_id, reason; emails, null = all
-- The contact may hold what was sent and what was to be cleared (the masks are joined); a new
-- client's address is kept, because a contact may exist under it.
-- Index: outbox and ledger primary keys
INSERT INTO contact_sync.ledger AS l (
    sync_id, client_id, state, email_hash, email, contact_hash, filled, reason, tries, person_hash,
    batch_id, unconfirmed, updated_at
)
SELECT
    o.sync_id,
    o.client_id,
    'pending',
    o.email_hash,
    o.email,
    o.email_hash,
    o.filled | o.clears,
    %(reason)s,
    1,
    nullif(o.person_hash, 0),
    o.batch_id,
    TRUE,
    now()
FROM contact_sync.batch_contact AS o
WHERE
    o.batch_id = %(batch_id)s
    AND (%(emails)s::text[] IS NULL OR o.email = any(%(emails)s))
ON CONFLICT (sync_id, client_id) DO UPDATE SET
    state = excluded.state,
    email_hash = excluded.email_hash,
    email = coalesce(l.email, excluded.email),
    contact_hash = coalesce(l.contact_hash, excluded.contact_hash),
    row_hash = NULL,
    filled = l.filled | excluded.filled,
    field = NULL,
    reason = excluded.reason,
    detail = NULL,
    tries = least(l.tries + 1, 32767),
    batch_id = excluded.batch_id,
    unconfirmed = l.unconfirmed OR l.contact_hash IS NULL,
    updated_at = excluded.updated_at;

-- count_look --
-- SendGrid looked at these contacts of a batch, and they aren't as sent: one more time, if it was the same content
-- Parameters: batch_id, emails; least = only of clients that were sent in vain so often; runs after postpone_batch
-- Index: outbox and ledger primary keys
UPDATE contact_sync.ledger AS l SET
    looks = CASE WHEN l.looked_hash = o.row_hash THEN least(l.looks + 1, 32767) ELSE 1 END,
    retaken = CASE WHEN l.looked_hash = o.row_hash THEN l.retaken ELSE 0 END,
    looked_hash = o.row_hash
FROM contact_sync.batch_contact AS o
WHERE
    o.batch_id = %(batch_id)s
    AND o.email = any(%(emails)s)
    AND l.sync_id = o.sync_id
    AND l.client_id = o.client_id
    AND l.tries >= %(least)s;

-- reject_not_applied --
-- Contacts that SendGrid looked at again and again and that never became as sent: rejected, so that somebody looks
-- Parameters: batch_id, emails, enough, reason; runs after count_look, in the same transaction
-- Index: outbox and ledger primary keys
UPDATE contact_sync.ledger AS l SET
    state = 'rejected',
    row_hash = o.row_hash,
    field = 'contact',
    reason = %(reason)s,
    detail = NULL,
    looks = 0,
    looked_up_at = NULL,
    rejected_since = coalesce(l.rejected_since, now())
FROM contact_sync.batch_contact AS o
WHERE
    o.batch_id = %(batch_id)s
    AND o.email = any(%(emails)s)
    AND l.sync_id = o.sync_id
    AND l.client_id = o.client_id
    AND l.looks >= %(enough)s;

-- hold_clients --
-- Take clients out of a batch of which nothing has left: they become pending, the next run looks again
-- Parameters: batch_id, client_ids: null = all of it, reason
-- Index: outbox and ledger primary keys
WITH held AS (
    DELETE FROM contact_sync.outbox AS o
    USING contact_sync.batch AS b
    WHERE
        b.batch_id = %(batch_id)s
        AND o.run_id = b.run_id
        AND o.client_id BETWEEN b.first_id AND b.last_id
        AND (b.json_only IS NULL OR o.json_only = b.json_only)
        AND (%(client_ids)s::bigint[] IS NULL OR o.client_id = any(%(client_ids)s))
    RETURNING
        b.sync_id,
        o.client_id,
        o.email_hash,
        o.person_hash
)

INSERT INTO contact_sync.ledger AS l (sync_id, client_id, state, email_hash, reason, person_hash)
SELECT
    held.sync_id,
    held.client_id,
    'pending',
    held.email_hash,
    %(reason)s,
    nullif(held.person_hash, 0)
FROM held
ON CONFLICT (sync_id, client_id) DO UPDATE SET
    state = excluded.state,
    email_hash = excluded.email_hash,
    row_hash = NULL,
    field = NULL,
    reason = excluded.reason,
    detail = NULL,
    updated_at = now();

-- clear_batch --
-- Forget the payloads of a settled batch: personal data stays only while in flight
-- Parameters: batch_id
-- Index: outbox primary key
DELETE FROM contact_sync.outbox AS o
USING contact_sync.batch AS b
WHERE
    b.batch_id = %(batch_id)s
    AND o.run_id = b.run_id
    AND o.client_id BETWEEN b.first_id AND b.last_id
    AND (b.json_only IS NULL OR o.json_only = b.json_only);

-- leave_out --
-- Contacts of a batch lose values that SendGrid refused: what it holds there goes as if the client had none, and
-- nobody knows whether it holds something where this sync has confirmed nothing of the contact, or sends all again.
-- Parameters: batch_id; clients, payloads, row_hashes and bits = the mask of the fields that are empty now, as arrays
-- of one length; texts = the mask of the fields that can be cleared
-- Index: outbox and ledger primary keys
UPDATE contact_sync.outbox AS o SET
    payload = r.payload,
    row_hash = r.row_hash,
    filled = (o.filled & ~r.bits) | (r.bits & h.held & ~%(texts)s::bigint),
    clears = o.clears | (r.bits & h.held & %(texts)s::bigint),
    stale = o.stale | (r.bits & h.held & ~%(texts)s::bigint),
    unsure = o.unsure | (r.bits & ~h.held & h.unknown & %(texts)s::bigint)
FROM
    contact_sync.batch AS b,
    unnest(%(clients)s::bigint[], %(payloads)s::text[], %(row_hashes)s::bigint[], %(bits)s::bigint[])
        AS r (client_id, payload, row_hash, bits),
    LATERAL (
        SELECT
            CASE
                WHEN c.takes_over THEN -1
                ELSE coalesce((
                    SELECT l.filled FROM contact_sync.ledger AS l
                    WHERE
                        l.sync_id = b.sync_id  -- noqa: RF01
                        AND l.client_id = c.client_id
                        AND l.contact_hash = c.email_hash
                ), 0)
            END AS held,
            CASE
                WHEN
                    NOT EXISTS (
                        SELECT 1 FROM contact_sync.run AS u
                        WHERE u.run_id = c.run_id AND u.kind = 'resend'
                    )
                    AND EXISTS (
                        SELECT 1 FROM contact_sync.ledger AS l
                        WHERE
                            l.sync_id = b.sync_id  -- noqa: RF01
                            AND l.client_id = c.client_id
                            AND l.contact_hash = c.email_hash
                    )
                    THEN 0
                ELSE -1
            END AS unknown
        FROM contact_sync.outbox AS c
        WHERE c.run_id = b.run_id AND c.client_id = r.client_id  -- noqa: RF01
    ) AS h
WHERE
    b.batch_id = %(batch_id)s
    AND o.run_id = b.run_id
    AND o.client_id = r.client_id;

-- take_out --
-- Contacts leave a batch, because their fate is written already.
DELETE FROM contact_sync.outbox AS o
USING contact_sync.batch_contact AS c, contact_sync.batch AS b
WHERE
    c.batch_id = %(batch_id)s
    AND b.batch_id = c.batch_id
    AND c.email = any(%(emails)s)
    AND o.run_id = b.run_id
    AND o.client_id = c.client_id;

-- only_address --
-- The address of a batch of one contact.
SELECT email
FROM contact_sync.batch_contact
WHERE batch_id = %(batch_id)s;

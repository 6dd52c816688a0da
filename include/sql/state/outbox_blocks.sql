-- Staged contacts of clients that the ledger doesn't know, many in a row (state/outbox_blocks.py).

-- drop_of_slice --
DELETE FROM contact_sync.outbox_block
WHERE run_id = %(run_id)s AND first_id BETWEEN %(first_id)s AND %(last_id)s;

-- drop_of_run --
DELETE FROM contact_sync.outbox_block
WHERE run_id = %(run_id)s;

-- drop_of_batch --
DELETE FROM contact_sync.outbox_block AS k
USING contact_sync.batch_block AS b
WHERE b.batch_id = %(batch_id)s AND k.run_id = b.run_id AND k.first_id = b.first_id;

-- has_blocks --
SELECT
    exists(
        SELECT 1 FROM contact_sync.outbox_block
        WHERE run_id = %(run_id)s
    ) AS found;

-- of_run --
-- What a run has staged in blocks.
SELECT
    run_id,
    first_id,
    last_id,
    contacts
FROM contact_sync.outbox_block
WHERE run_id = %(run_id)s
ORDER BY first_id;

-- of_persons --
-- Blocks with one of these clients or addresses. Parameters: sync_id or run_id, the other one is NULL; client_ids,
-- email_hashes
SELECT
    k.run_id,
    k.first_id
FROM contact_sync.outbox_block AS k
INNER JOIN contact_sync.run AS r ON k.run_id = r.run_id
WHERE
    (r.sync_id = %(sync_id)s::smallint OR r.run_id = %(run_id)s::bigint)
    AND (k.client_ids && %(client_ids)s::bigint[] OR k.email_hashes && %(email_hashes)s::bigint[])
ORDER BY k.run_id, k.first_id;

-- of_all --
SELECT
    run_id,
    first_id
FROM contact_sync.outbox_block
ORDER BY run_id, first_id;

-- of_batch --
-- Index: outbox_block primary key
SELECT
    run_id,
    first_id
FROM contact_sync.batch_block
WHERE batch_id = %(batch_id)s
ORDER BY first_id;

-- content --
SELECT content FROM contact_sync.outbox_block
WHERE run_id = %(run_id)s AND first_id = %(first_id)s;

-- take --
-- Whoever takes a block first has its contacts: others wait for the end of its transaction, and find them elsewhere.
DELETE FROM contact_sync.outbox_block
WHERE run_id = %(run_id)s AND first_id = %(first_id)s
RETURNING content;

-- is_fresh --
-- Whether nobody's contact of the sync is to be removed or moved, so that none can be taken over.
-- Index: removal and move primary keys
SELECT
    NOT EXISTS (
        SELECT FROM contact_sync.removal
        WHERE sync_id = %(sync_id)s
    )
    AND NOT EXISTS (
        SELECT FROM contact_sync.move
        WHERE sync_id = %(sync_id)s
    ) AS is_fresh;

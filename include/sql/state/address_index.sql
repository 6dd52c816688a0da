-- The index by which clients are found by their address (state/address_index.py).

-- may_create --
-- Whether it isn't there, and nobody else is making it.
SELECT
    CASE
        WHEN to_regclass('contact_sync.ledger_address') IS NULL THEN pg_try_advisory_xact_lock(7305180052)
        ELSE FALSE
    END AS answer;

-- is_there --
SELECT to_regclass('contact_sync.ledger_address') IS NOT NULL AS answer;

-- wait_briefly --
-- Who writes into the ledger waits behind us.
SET LOCAL lock_timeout = '5s';

-- create_index --
-- The hash is first: rows are sorted by it at once then, not by a number that is the same in all. One that an earlier
-- version made has the other order, and finds as fast.
CREATE INDEX IF NOT EXISTS ledger_address ON contact_sync.ledger (email_hash, sync_id);

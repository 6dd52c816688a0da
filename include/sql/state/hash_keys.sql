-- The keys of the hashes of texts (state/hash_keys.py).

-- in_use --
-- In the order in which they are applied.
SELECT key_id
FROM contact_sync.hash_key
ORDER BY place;

-- hold --
-- Keeps the keys as they are until the transaction ends: whoever changes them locks these rows for itself.
SELECT sync_id FROM contact_sync.sync FOR SHARE;

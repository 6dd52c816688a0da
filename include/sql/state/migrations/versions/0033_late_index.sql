-- The index of the ledger's addresses is made by the first run, when it has filled the ledger (state/address_index.py);
-- a ledger that is filled already keeps it.
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM contact_sync.ledger) THEN
        DROP INDEX contact_sync.ledger_address;
    END IF;
END
$$;

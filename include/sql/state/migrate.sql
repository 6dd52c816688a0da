-- What the migrations need around themselves (state/migrate.py); they are in migrations/.

-- wait_for_others --
-- One migration at a time; the lock ends with the transaction.
SELECT pg_advisory_xact_lock(7305180051);

-- schema --
SELECT to_regnamespace('contact_sync') AS found;

-- create_schema --
-- Only where there is none: to ask for it takes the right to create schemas even when this one is there.
CREATE SCHEMA IF NOT EXISTS contact_sync;

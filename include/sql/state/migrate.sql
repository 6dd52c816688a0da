-- What the migrations need around themselves (state/migrate.py); they are in migrations/.

-- wait_for_others --
-- One migration at a time; the lock ends with the transaction.
SELECT pg_advisory_xact_lock(7305180051);

-- schema --
SELECT to_regnamespace('contact_sync') AS found;

-- create_schema --
-- Only where there is none: to ask for it takes the right to create schemas even when this one is there.
CREATE SCHEMA IF NOT EXISTS contact_sync;

-- has_evidence --
SELECT to_regclass('contact_sync.state_identity') IS NOT NULL AS found;

-- renew_whole --
-- The tables are the migrations' own now; a row that wasn't whole isn't touched.
-- Parameters: whole = the syncs whose row was, by the statement `whole` of identity.sql
UPDATE contact_sync.state_identity SET
    written_by = pg_current_xact_id(),
    run_oid = 'contact_sync.run'::regclass,
    ledger_oid = 'contact_sync.ledger'::regclass,
    ledger_file = pg_relation_filenode('contact_sync.ledger')
WHERE sync_id = any(%(whole)s::bigint[]);

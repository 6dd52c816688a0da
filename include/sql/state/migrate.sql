-- What the migrations need around themselves (state/migrate.py); they are in migrations/.

-- wait_for_others --
-- One migration at a time; the lock ends with the transaction.
SELECT pg_advisory_xact_lock(7305180051);

-- other_encoding --
-- What a new state database's texts are stored in, if that has no place for every name and address.
SELECT current_setting('server_encoding') AS found
WHERE
    current_setting('server_encoding') NOT IN ('UTF8', 'SQL_ASCII')
    AND to_regclass('contact_sync.alembic_version') IS NULL;

-- schema --
SELECT to_regnamespace('contact_sync') AS found;

-- create_schema --
-- Only where there is none: to ask for it takes the right to create schemas even when this one is there.
CREATE SCHEMA IF NOT EXISTS contact_sync;

-- has_evidence --
SELECT to_regclass('contact_sync.state_identity') IS NOT NULL AS found;

-- create_whole --
-- Which syncs' rows of evidence are whole before the migrations: these may make tables anew.
CREATE TEMPORARY TABLE whole ON COMMIT DROP AS
SELECT i.sync_id FROM contact_sync.state_identity AS i
WHERE
    i.xmin = i.written_by::xid
    AND i.database_oid = (
        SELECT d.oid FROM pg_catalog.pg_database AS d
        WHERE d.datname = current_database()
    )
    AND i.run_oid = 'contact_sync.run'::regclass
    AND i.ledger_oid = 'contact_sync.ledger'::regclass
    AND CASE
        WHEN i.ledger_file = pg_relation_filenode('contact_sync.ledger') THEN TRUE
        ELSE NOT EXISTS (
            SELECT 1 FROM contact_sync.ledger AS l
            WHERE l.sync_id = i.sync_id AND age(l.xmin) < age(i.written_by::xid)
        )
    END;

-- renew_whole --
-- The tables are the migrations' own now; a row that wasn't whole isn't touched.
UPDATE contact_sync.state_identity AS i SET
    written_by = pg_current_xact_id(),
    run_oid = 'contact_sync.run'::regclass,
    ledger_oid = 'contact_sync.ledger'::regclass,
    ledger_file = pg_relation_filenode('contact_sync.ledger')
FROM pg_temp.whole AS w
WHERE i.sync_id = w.sync_id;

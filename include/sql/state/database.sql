-- What a transaction asks for first and last (state/database.py).

-- is_migrated --
SELECT to_regclass('contact_sync.alembic_version') IS NOT NULL AS found;

-- version --
SELECT version_num FROM contact_sync.alembic_version;

-- fence --
-- No row when a newer run holds the lease; else the epoch stays as it is until the commit.
SELECT 1 FROM contact_sync.sync
WHERE sync_id = %(sync_id)s AND epoch = %(epoch)s
FOR SHARE;

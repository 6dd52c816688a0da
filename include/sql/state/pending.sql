-- The state database's schema: from version %(found)s to %(version)s, in one transaction; written by
--     python -m contact_sync migrate --sql
-- Run it with psql, in the database of the state connection, while no sync is at work:
--     psql --set ON_ERROR_STOP=1 --file THIS_FILE <database>
-- as the role %(role)s, or as one that may become it: what is made has to belong to it.
BEGIN;

SET LOCAL ROLE "%(role)s";

%(wait_for_others)s;

-- Nothing else may have migrated it meanwhile.
DO $$
DECLARE
    found text := 'none';
BEGIN
    IF to_regclass('contact_sync.alembic_version') IS NOT NULL THEN
        found := (SELECT version_num FROM contact_sync.alembic_version);
    END IF;
    IF found <> '%(found)s' THEN
        RAISE EXCEPTION 'The schema is at version %, not %(found)s any more: write this file again', found;
    END IF;
END
$$;

-- Purpose:    the role that the sync reads B2CORE with, for the database's administrator. May be run again.
-- Parameters: none; run it in B2CORE's database:  psql --single-transaction --file roles.sql <database>
-- Password:   the role has none and cannot log in until you give it one:  \password contact_sync_reader
-- The role may read exactly the columns that this folder's statements name, and nothing else. To re-point the
-- statements to other tables, views or columns, change the last GRANTs with them.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'contact_sync_reader') THEN
        CREATE ROLE contact_sync_reader;
    END IF;
    -- Only what the role has is taken from it: to an administrator who is no superuser, as on managed servers, the
    -- words alone are refused. BYPASSRLS stays as it is: tables with row-level security can't be read without it.
    IF EXISTS (
        SELECT FROM pg_catalog.pg_roles
        WHERE rolname = 'contact_sync_reader' AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication)
    ) THEN
        ALTER ROLE contact_sync_reader NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO contact_sync_reader', current_database());
END
$$;

ALTER ROLE contact_sync_reader LOGIN NOINHERIT CONNECTION LIMIT 20;

-- Comfort, not protection: a session may change these. What protects is that nothing but SELECT is granted.
ALTER ROLE contact_sync_reader SET default_transaction_read_only = on;
ALTER ROLE contact_sync_reader SET statement_timeout = '30min';
ALTER ROLE contact_sync_reader SET lock_timeout = '10s';
ALTER ROLE contact_sync_reader SET idle_in_transaction_session_timeout = '5min';

GRANT USAGE ON SCHEMA b2core TO contact_sync_reader;
-- An earlier version of this file granted the whole tables.
REVOKE SELECT ON TABLE
b2core.clients,
b2core.client_phones,
b2core.client_addresses,
b2core.client_statuses,
b2core.client_types,
b2core.verification_levels,
b2core.jurisdictions,
b2core.countries
FROM contact_sync_reader;

-- xmin: only for changed_xmin.sql.
GRANT SELECT (
    id, email, first_name, last_name, status_id, client_type_id, verification_level_id, jurisdiction_id,
    created_at, updated_at, xmin
) ON TABLE b2core.clients TO contact_sync_reader;
GRANT SELECT (id, client_id, phone, confirmed, updated_at, xmin)
ON TABLE b2core.client_phones TO contact_sync_reader;
GRANT SELECT (
    id, client_id, type, country_id, city, state, postal_code, line1, line2, updated_at, xmin
) ON TABLE b2core.client_addresses TO contact_sync_reader;
GRANT SELECT (id, name, xmin) ON TABLE b2core.client_statuses TO contact_sync_reader;
GRANT SELECT (id, name, xmin) ON TABLE b2core.client_types TO contact_sync_reader;
GRANT SELECT (id, caption, xmin) ON TABLE b2core.verification_levels TO contact_sync_reader;
GRANT SELECT (id, caption, xmin) ON TABLE b2core.jurisdictions TO contact_sync_reader;
GRANT SELECT (id, code, name, xmin) ON TABLE b2core.countries TO contact_sync_reader;

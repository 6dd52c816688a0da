-- Purpose:    the role that the sync uses in the state database, for its administrator. May be run again.
-- Parameters: none; run it in that database:  psql --single-transaction --file roles.sql <database>
-- Password:   the role has none and cannot log in until you give it one:  \password contact_sync_state
-- The role owns the schema contact_sync and what `migrate` creates in it, and may do nothing else.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'contact_sync_state') THEN
        CREATE ROLE contact_sync_state;
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO contact_sync_state', current_database());
END
$$;

ALTER ROLE contact_sync_state
LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT;

CREATE SCHEMA IF NOT EXISTS contact_sync AUTHORIZATION contact_sync_state;

-- Parameters are contacts: the server's log shall not have them, whatever it logs of statements. Only a superuser may
-- set this; elsewhere set it in the server's configuration.
DO $$
BEGIN
    ALTER ROLE contact_sync_state SET log_parameter_max_length = 0;
    ALTER ROLE contact_sync_state SET log_parameter_max_length_on_error = 0;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'log_parameter_max_length is left as it is: the server may log parameters of statements';
END
$$;

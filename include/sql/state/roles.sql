-- Purpose:    the role that the sync uses in the state database, for its administrator. May be run again.
-- Parameters: none; run it in that database:  psql --single-transaction --file roles.sql <database>
-- Password:   the role has none and cannot log in until you give it one:  \password contact_sync_state
-- The role owns the schema contact_sync and what `migrate` creates in it, and may do nothing else.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'contact_sync_state') THEN
        CREATE ROLE contact_sync_state;
    END IF;
    -- Only what the role has is taken from it: to an administrator who is no superuser, as on managed servers, the
    -- words alone are refused.
    IF EXISTS (
        SELECT FROM pg_catalog.pg_roles
        WHERE rolname = 'contact_sync_state' AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)
    ) THEN
        ALTER ROLE contact_sync_state NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO contact_sync_state', current_database());
END
$$;

ALTER ROLE contact_sync_state LOGIN NOINHERIT;

-- Only a member of a role may make a schema for it, and an administrator who is no superuser is none.
DO $$
BEGIN
    IF to_regnamespace('contact_sync') IS NULL THEN
        IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
            EXECUTE format('GRANT contact_sync_state TO %I', current_user);
        END IF;
        CREATE SCHEMA contact_sync AUTHORIZATION contact_sync_state;
        IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
            EXECUTE format('REVOKE contact_sync_state FROM %I', current_user);
        END IF;
    END IF;
END
$$;

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

-- For the DBA of the state database: the role that the sync uses. It owns its own database and
-- schema and nothing else; run once in that database, then set the password:
--   ALTER ROLE contact_sync_state PASSWORD '...';
CREATE ROLE contact_sync_state LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
CREATE SCHEMA contact_sync AUTHORIZATION contact_sync_state;

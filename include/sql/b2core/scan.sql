-- Purpose:    every client's address, to find deleted clients, changed e-mails and shared addresses.
-- Parameters: none
-- Columns:    client_id bigint, email text, exclusion text; in no order
-- Indexes:    none, one sequential scan
SELECT
    clients.id::bigint AS client_id,
    clients.email::text AS email,
    -- Keep it equal to clients.sql.
    NULL::text AS exclusion
FROM b2core.clients AS clients

-- Purpose:    the clients with a row that was updated at or after a moment, for sources where xmin cannot be
--             read (views). Weaker than changed_xmin.sql: the caller goes back by an overlap, and a
--             transaction that stays open longer than the overlap is missed until the nightly full run.
-- Parameters: since  timestamptz, inclusive
-- Columns:    client_id bigint, in no order; a client may come more than once: UNION would sort all tables first
-- Indexes:    none, one sequential scan per big table; btree (updated_at) helps above ten million clients
-- A row without updated_at is always selected: nothing says that it did not change.
-- Not seen: the lookup tables have no updated_at, so a renamed status, type, level, jurisdiction or country
-- is found by the nightly full run; so is a deleted phone or address.
SELECT clients.id::bigint AS client_id
FROM b2core.clients AS clients
WHERE
    clients.updated_at >= %(since)s::timestamptz
    OR clients.updated_at IS NULL
UNION ALL
SELECT phones.client_id::bigint AS client_id
FROM b2core.client_phones AS phones
WHERE
    phones.updated_at >= %(since)s::timestamptz
    OR phones.updated_at IS NULL
UNION ALL
SELECT addresses.client_id::bigint AS client_id
FROM b2core.client_addresses AS addresses
WHERE
    addresses.updated_at >= %(since)s::timestamptz
    OR addresses.updated_at IS NULL

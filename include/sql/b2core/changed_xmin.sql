-- Purpose:    the clients that a transaction touched which an earlier snapshot did not see for certain.
-- Parameters: horizon  the earlier snapshot's pg_snapshot_xmin modulo 2^32, as decimal text
-- Columns:    client_id bigint, in no order; a client may come more than once: UNION would sort all tables first
-- Indexes:    none, one sequential scan per big table
-- A row counts as changed when its xmin is not older than the horizon, so that a transaction which was open
-- during the earlier snapshot and committed later is found. Compared by age(): transaction numbers wrap.
-- A renamed lookup value selects every client that uses it.
-- Not seen: a deleted phone or address leaves no row behind; README.md says how those are found.
-- Needs tables: xmin is not visible through views.
SELECT clients.id::bigint AS client_id
FROM b2core.clients AS clients
WHERE
    AGE(clients.xmin) <= (SELECT AGE(%(horizon)s::text::xid))
    OR clients.status_id = ANY(
        ARRAY(
            SELECT client_statuses.id
            FROM b2core.client_statuses AS client_statuses
            WHERE AGE(client_statuses.xmin) <= AGE(%(horizon)s::text::xid)
        )
    )
    OR clients.client_type_id = ANY(
        ARRAY(
            SELECT client_types.id
            FROM b2core.client_types AS client_types
            WHERE AGE(client_types.xmin) <= AGE(%(horizon)s::text::xid)
        )
    )
    OR clients.verification_level_id = ANY(
        ARRAY(
            SELECT verification_levels.id
            FROM b2core.verification_levels AS verification_levels
            WHERE AGE(verification_levels.xmin) <= AGE(%(horizon)s::text::xid)
        )
    )
    OR clients.jurisdiction_id = ANY(
        ARRAY(
            SELECT jurisdictions.id
            FROM b2core.jurisdictions AS jurisdictions
            WHERE AGE(jurisdictions.xmin) <= AGE(%(horizon)s::text::xid)
        )
    )
UNION ALL
SELECT phones.client_id::bigint AS client_id
FROM b2core.client_phones AS phones
WHERE AGE(phones.xmin) <= (SELECT AGE(%(horizon)s::text::xid))
UNION ALL
SELECT addresses.client_id::bigint AS client_id
FROM b2core.client_addresses AS addresses
WHERE
    AGE(addresses.xmin) <= (SELECT AGE(%(horizon)s::text::xid))
    OR addresses.country_id = ANY(
        ARRAY(
            SELECT countries.id
            FROM b2core.countries AS countries
            WHERE AGE(countries.xmin) <= AGE(%(horizon)s::text::xid)
        )
    )

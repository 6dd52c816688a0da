-- Purpose:    what every contact is made of, one row per client (the column contract: README.md).
-- Parameters: first_id, last_id  bigint, inclusive bounds of the slice
--             ids                bigint[], only these clients of the slice; NULL = all of them
-- Columns:    client_id, email, first_name, last_name, phone, address_line_1, address_line_2, city, state,
--             postal_code, country, country_code, status, client_type, verification_level, jurisdiction,
--             registered_on, person_key, exclusion
-- Indexes:    clients (id), client_phones (client_id), client_addresses (client_id)
-- Phone:      the confirmed one, else the most recently updated; ties go to the higher id.
-- Address:    residential, else mailing, else legal, else billing, never birth place; of one type the most
--             recently updated. Every address column comes from that one row.
-- Country:    country_code is that of the chosen address; if it has none, of the address updated last that has one,
--             but never of the birth place: a phone number without a country code is read with it. Whoever has
--             no address at all isn't looked for again.
-- The bounds and ids are repeated inside both subqueries: DISTINCT ON would sort the whole table otherwise.
-- Lookups are joined LEFT: a dangling key must not lose the client.
SELECT
    clients.id::bigint AS client_id,
    clients.email::text AS email,
    clients.first_name::text AS first_name,
    clients.last_name::text AS last_name,
    chosen_phones.phone::text AS phone,
    chosen_addresses.line1::text AS address_line_1,
    chosen_addresses.line2::text AS address_line_2,
    chosen_addresses.city::text AS city,
    chosen_addresses.state::text AS state,
    chosen_addresses.postal_code::text AS postal_code,
    countries.name::text AS country,
    coalesce(
        countries.code,
        CASE
            WHEN chosen_phones.phone IS NOT NULL AND chosen_addresses.client_id IS NOT NULL THEN (
                SELECT other_countries.code
                FROM b2core.client_addresses AS others
                INNER JOIN b2core.countries AS other_countries ON others.country_id = other_countries.id
                WHERE
                    others.client_id = clients.id
                    AND others.type IN ('residential', 'mailing', 'legal', 'billing')
                    AND other_countries.code IS NOT NULL
                ORDER BY others.updated_at DESC NULLS LAST, others.id DESC
                LIMIT 1
            )
        END
    )::text AS country_code,
    client_statuses.name::text AS status,
    client_types.name::text AS client_type,
    verification_levels.caption::text AS verification_level,
    jurisdictions.caption::text AS jurisdiction,
    (clients.created_at AT TIME ZONE 'UTC')::date AS registered_on,
    -- What stays the same for a person: an id with another key and another address is another person's.
    clients.created_at::text AS person_key,
    -- A reason why this client must not be sent, such as a withdrawn consent. Keep it equal to scan.sql.
    NULL::text AS exclusion
FROM b2core.clients AS clients
LEFT JOIN (
    SELECT DISTINCT ON (phones.client_id)
        phones.client_id,
        phones.phone
    FROM b2core.client_phones AS phones
    WHERE
        phones.client_id BETWEEN %(first_id)s AND %(last_id)s
        AND (%(ids)s::bigint[] IS NULL OR phones.client_id = any(%(ids)s::bigint[]))
    ORDER BY
        phones.client_id ASC,
        (phones.confirmed IS TRUE) DESC,
        phones.updated_at DESC NULLS LAST,
        phones.id DESC
) AS chosen_phones ON clients.id = chosen_phones.client_id
LEFT JOIN (
    SELECT DISTINCT ON (addresses.client_id)
        addresses.client_id,
        addresses.country_id,
        addresses.city,
        addresses.state,
        addresses.postal_code,
        addresses.line1,
        addresses.line2
    FROM b2core.client_addresses AS addresses
    WHERE
        addresses.client_id BETWEEN %(first_id)s AND %(last_id)s
        AND (%(ids)s::bigint[] IS NULL OR addresses.client_id = any(%(ids)s::bigint[]))
        AND addresses.type IN ('residential', 'mailing', 'legal', 'billing')
    ORDER BY
        addresses.client_id ASC,
        CASE addresses.type
            WHEN 'residential' THEN 1
            WHEN 'mailing' THEN 2
            WHEN 'legal' THEN 3
            WHEN 'billing' THEN 4
        END ASC,
        addresses.updated_at DESC NULLS LAST,
        addresses.id DESC
) AS chosen_addresses ON clients.id = chosen_addresses.client_id
LEFT JOIN b2core.countries AS countries ON chosen_addresses.country_id = countries.id
LEFT JOIN b2core.client_statuses AS client_statuses ON clients.status_id = client_statuses.id
LEFT JOIN b2core.client_types AS client_types ON clients.client_type_id = client_types.id
LEFT JOIN b2core.verification_levels AS verification_levels
    ON clients.verification_level_id = verification_levels.id
LEFT JOIN b2core.jurisdictions AS jurisdictions ON clients.jurisdiction_id = jurisdictions.id
WHERE
    clients.id BETWEEN %(first_id)s AND %(last_id)s
    AND (%(ids)s::bigint[] IS NULL OR clients.id = any(%(ids)s::bigint[]))

-- Purpose:    why clients.sql shows these phone and address values for one client: all its rows in the order of the
--             rule, and in words what puts each where it is. Read by the look-up only, never by a run.
-- Parameters: client_id  bigint
-- Columns:    part ('phone' or 'address'), place (1 = the one that clients.sql shows, NULL = never shown), row_id,
--             label (what kind of row it is), updated_at, reason (why it has this place), and the values by their
--             names in clients.sql: phone, address_line_1, address_line_2, city, state, postal_code, country
-- Indexes:    client_phones (client_id), client_addresses (client_id)
-- Keep it equal to clients.sql: the look-up says so when the two choose different rows.
-- A row is compared with its rival: the chosen one, or for the chosen one the next.
WITH phones AS (
    SELECT
        p.id,
        p.phone,
        p.confirmed IS TRUE AS confirmed,
        p.updated_at,
        row_number() OVER rule_order AS place,
        count(*) OVER () AS phones,
        CASE
            WHEN row_number() OVER rule_order = 1 THEN lead(p.confirmed IS TRUE) OVER rule_order
            ELSE first_value(p.confirmed IS TRUE) OVER rule_order
        END AS rival_confirmed,
        CASE
            WHEN row_number() OVER rule_order = 1 THEN lead(p.updated_at) OVER rule_order
            ELSE first_value(p.updated_at) OVER rule_order
        END AS rival_updated_at
    FROM b2core.client_phones AS p
    WHERE p.client_id = %(client_id)s
    WINDOW rule_order AS (
        ORDER BY (p.confirmed IS TRUE) DESC, p.updated_at DESC NULLS LAST, p.id DESC
    )
),

typed_addresses AS (
    SELECT
        a.*,
        CASE a.type
            WHEN 'residential' THEN 1
            WHEN 'mailing' THEN 2
            WHEN 'legal' THEN 3
            WHEN 'billing' THEN 4
        END AS type_place
    FROM b2core.client_addresses AS a
    WHERE a.client_id = %(client_id)s
),

addresses AS (
    SELECT
        t.*,
        row_number() OVER rule_order AS place,
        count(*) OVER () AS addresses,
        CASE
            WHEN row_number() OVER rule_order = 1 THEN lead(t.type) OVER rule_order
            ELSE first_value(t.type) OVER rule_order
        END AS rival_type,
        CASE
            WHEN row_number() OVER rule_order = 1 THEN lead(t.updated_at) OVER rule_order
            ELSE first_value(t.updated_at) OVER rule_order
        END AS rival_updated_at
    FROM typed_addresses AS t
    WHERE t.type_place IS NOT NULL
    WINDOW rule_order AS (ORDER BY t.type_place ASC, t.updated_at DESC NULLS LAST, t.id DESC)
)

SELECT
    'phone' AS part,
    p.place::integer AS place,
    p.id::bigint AS row_id,
    CASE WHEN p.confirmed THEN 'confirmed' ELSE 'not confirmed' END AS label,
    p.updated_at,
    CASE
        WHEN p.phones = 1 THEN 'the only one'
        WHEN p.confirmed AND NOT p.rival_confirmed THEN 'a confirmed number comes first'
        WHEN p.rival_confirmed AND NOT p.confirmed THEN 'not confirmed, the chosen one is'
        WHEN p.updated_at IS NULL AND p.rival_updated_at IS NOT NULL THEN 'no time of its last update'
        WHEN p.place = 1 AND coalesce(p.updated_at > p.rival_updated_at, p.updated_at IS NOT NULL)
            THEN 'updated most recently'
        WHEN p.updated_at < p.rival_updated_at THEN 'updated earlier than the chosen one'
        WHEN p.place = 1 THEN 'the higher id; all else is equal'
        ELSE 'a lower id than the chosen one; all else is equal'
    END AS reason,
    p.phone::text AS phone,
    NULL::text AS address_line_1,
    NULL::text AS address_line_2,
    NULL::text AS city,
    NULL::text AS state,
    NULL::text AS postal_code,
    NULL::text AS country
FROM phones AS p
UNION ALL
SELECT
    'address' AS part,
    a.place::integer AS place,
    t.id::bigint AS row_id,
    t.type::text AS label,
    t.updated_at,
    CASE
        WHEN a.id IS NULL THEN 'an address of this type is never used'
        WHEN a.addresses = 1 THEN 'the only one of a type that is used'
        WHEN t.type <> a.rival_type AND a.place = 1
            THEN 'residential comes first, then mailing, legal, billing'
        WHEN t.type <> a.rival_type THEN 'the chosen one''s type comes first'
        WHEN t.updated_at IS NULL AND a.rival_updated_at IS NOT NULL THEN 'no time of its last update'
        WHEN a.place = 1 AND coalesce(t.updated_at > a.rival_updated_at, t.updated_at IS NOT NULL)
            THEN 'of its type updated most recently'
        WHEN t.updated_at < a.rival_updated_at THEN 'updated earlier than the chosen one'
        WHEN a.place = 1 THEN 'the higher id; all else is equal'
        ELSE 'a lower id than the chosen one; all else is equal'
    END AS reason,
    NULL::text AS phone,
    t.line1::text AS address_line_1,
    t.line2::text AS address_line_2,
    t.city::text AS city,
    t.state::text AS state,
    t.postal_code::text AS postal_code,
    countries.name::text AS country
FROM typed_addresses AS t
LEFT JOIN addresses AS a ON t.id = a.id
LEFT JOIN b2core.countries AS countries ON t.country_id = countries.id
ORDER BY part DESC, place ASC NULLS LAST, row_id DESC

-- One change of each kind that the sync must notice; run in one transaction by changes.py.
-- The phone and the address change leave the client's own row as it is, as B2CORE does.
DROP TABLE IF EXISTS pg_temp.demo_changes;
CREATE TEMPORARY TABLE demo_changes (number integer, line text);

-- Five clients that have what the changes need; those that changed longest ago, so that the next call takes
-- others for most of them.
CREATE TEMPORARY TABLE demo_clients ON COMMIT DROP AS
WITH oldest AS (
    SELECT
        clients.id,
        clients.updated_at
    FROM b2core.clients AS clients
    WHERE clients.email ~ '^[a-z0-9._-]+@example[.](com|org|net)$'
    ORDER BY clients.updated_at ASC, clients.id ASC
    LIMIT 1000
)

SELECT
    oldest.id,
    row_number() OVER (ORDER BY oldest.updated_at ASC, oldest.id ASC) AS number
FROM oldest
WHERE
    (SELECT count(*) FROM b2core.client_phones AS p WHERE p.client_id = oldest.id) >= 2
    AND EXISTS (
        SELECT FROM b2core.client_addresses AS a WHERE a.client_id = oldest.id AND a.type = 'residential'
    );

WITH registered AS (
    INSERT INTO b2core.clients
    (email, first_name, last_name, status_id, client_type_id, verification_level_id, jurisdiction_id)
    VALUES
    (
        'new.client.' || pg_current_xact_id() || '@example.com', 'Zoë', 'D’Arcy-O''Brien', 1, 1, 1,
        (SELECT min(id) FROM b2core.jurisdictions)
    )
    RETURNING id
),

phone AS (
    INSERT INTO b2core.client_phones (client_id, phone, confirmed)
    SELECT id, '+44 7911 123456', false FROM registered
),

address AS (
    INSERT INTO b2core.client_addresses (client_id, type, country_id, city, postal_code, line1)
    SELECT id, 'residential', (SELECT min(id) FROM b2core.countries), 'London', 'SW1A 1AA', '10 New Street'
    FROM registered
)

INSERT INTO demo_changes
SELECT 1, 'Client ' || id || ' registered, with a phone and an address' FROM registered;

WITH renamed AS (
    UPDATE b2core.clients SET last_name = coalesce(last_name, '') || '-Kovač', updated_at = now()
    WHERE id = (SELECT id FROM demo_clients WHERE number = 1)
    RETURNING id
)

INSERT INTO demo_changes SELECT 2, 'Client ' || id || ' has a new last name' FROM renamed;

-- Confirming one number un-confirms the others: phone rows change, the client's row does not.
WITH newly_confirmed AS (
    SELECT client_id, id
    FROM b2core.client_phones
    WHERE client_id = (SELECT id FROM demo_clients WHERE number = 2)
    ORDER BY confirmed IS TRUE ASC, updated_at ASC NULLS FIRST, id ASC
    LIMIT 1
),

changed AS (
    UPDATE b2core.client_phones AS phones
    SET
        confirmed = phones.id = newly_confirmed.id,
        phone = CASE WHEN phones.id = newly_confirmed.id THEN '+357 99 ' || lpad((phones.id % 1000000)::text, 6, '0')
            ELSE phones.phone END,
        updated_at = now()
    FROM newly_confirmed
    WHERE phones.client_id = newly_confirmed.client_id
    RETURNING phones.client_id
)

INSERT INTO demo_changes
SELECT DISTINCT 3, 'Client ' || client_id || ' confirmed another phone; the client row is untouched' FROM changed;

WITH moved AS (
    UPDATE b2core.client_addresses
    SET line1 = 'New Street ' || pg_current_xact_id(), line2 = NULL, updated_at = now()
    WHERE client_id = (SELECT id FROM demo_clients WHERE number = 3) AND type = 'residential'
    RETURNING client_id
)

INSERT INTO demo_changes
SELECT DISTINCT 4, 'Client ' || client_id || ' moved to another street; the client row is untouched' FROM moved;

WITH changed AS (
    UPDATE b2core.clients SET email = 'moved.' || email, updated_at = now()
    WHERE id = (SELECT id FROM demo_clients WHERE number = 4)
    RETURNING id
)

INSERT INTO demo_changes SELECT 5, 'Client ' || id || ' has a new e-mail address' FROM changed;

WITH changed AS (
    UPDATE b2core.clients SET status_id = CASE status_id WHEN 3 THEN 1 ELSE 3 END, updated_at = now()
    WHERE id = (SELECT id FROM demo_clients WHERE number = 5)
    RETURNING id, status_id
)

INSERT INTO demo_changes
SELECT 6, 'Client ' || changed.id || ' has the status ' || client_statuses.name
FROM changed INNER JOIN b2core.client_statuses ON changed.status_id = client_statuses.id;

-- The level with the fewest clients, so that the demo's next run stays small enough to look at.
WITH users AS (
    SELECT verification_levels.id, count(clients.id) AS clients
    FROM b2core.verification_levels
    LEFT JOIN b2core.clients ON verification_levels.id = clients.verification_level_id
    GROUP BY verification_levels.id
    ORDER BY clients ASC, verification_levels.id DESC
    LIMIT 1
),

renamed AS (
    UPDATE b2core.verification_levels
    SET caption = CASE caption WHEN 'Advanced' THEN 'Professional' ELSE 'Advanced' END
    FROM users WHERE verification_levels.id = users.id
    RETURNING verification_levels.caption, users.clients
)

INSERT INTO demo_changes
SELECT 7, 'A verification level is now called ' || caption || ', which ' || clients || ' clients have' FROM renamed;

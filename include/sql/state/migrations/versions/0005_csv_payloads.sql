-- A payload is now the contact's row of a CSV import: address, values in mapping order, a newline. What an earlier
-- version left in flight had its values joined by U+001F, dates as YYYY-MM-DD.

WITH cell AS (
    SELECT
        o.run_id,
        o.client_id,
        field.position,
        CASE
            WHEN field.value ->> 'type' = 'Date'
                THEN regexp_replace(given.text, '^(\d+)-(\d+)-(\d+)$', '\2/\3/\1')
            ELSE given.text
        END AS value
    FROM contact_sync.outbox AS o
    INNER JOIN contact_sync.run AS r ON o.run_id = r.run_id
    CROSS JOIN jsonb_array_elements(r.destination #> '{mapping,fields}') WITH ORDINALITY AS field (value, position)
    CROSS JOIN split_part(o.payload, chr(31), field.position::integer) AS given (text)
),

cells AS (
    SELECT
        run_id,
        client_id,
        string_agg(
            CASE WHEN value = '' THEN ',' ELSE concat(',"', replace(value, '"', '""'), '"') END,
            '' ORDER BY position
        ) AS text
    FROM cell
    GROUP BY run_id, client_id
)

UPDATE contact_sync.outbox AS o
SET payload = concat('"', o.email, '"', cells.text, chr(10))
FROM cells
WHERE o.run_id = cells.run_id AND o.client_id = cells.client_id;

COMMENT ON COLUMN contact_sync.outbox.payload
IS 'The contact''s row of a CSV import: address, values in mapping order, a newline.';

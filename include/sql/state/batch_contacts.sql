-- The contacts of a batch: what is staged of a range of client ids, mostly as rows (state/batch_contacts.py).

-- batch_columns --
-- Of a JSON batch, as one row; null = it has none. All three columns have the order of the rows below, which is by
-- client id. Index: outbox primary key, through the view
SELECT
    array_agg(client_id) AS client_ids,
    convert_to(string_agg(payload, ''), 'UTF8') AS payloads,
    array_agg(clears) AS clears
FROM (
    SELECT
        client_id,
        payload,
        clears
    FROM contact_sync.batch_contact
    WHERE batch_id = %(batch_id)s
    ORDER BY client_id
) AS contact;

-- count_contacts --
SELECT sum(counted.n) AS n
FROM (
    SELECT count(*) AS n FROM contact_sync.batch_contact
    WHERE batch_id = %(batch_id)s
    UNION ALL
    SELECT coalesce(sum(contacts), 0) FROM contact_sync.batch_block
    WHERE batch_id = %(batch_id)s
) AS counted;

-- first_client --
SELECT min(client_id) AS client_id FROM contact_sync.batch_contact
WHERE batch_id = %(batch_id)s;

-- has_contacts --
SELECT
    EXISTS (
        SELECT 1 FROM contact_sync.batch_block
        WHERE batch_id = %(batch_id)s
    )
    OR EXISTS (
        SELECT 1 FROM contact_sync.batch_contact
        WHERE batch_id = %(batch_id)s
    ) AS found;

-- contacts_among --
-- Those of the addresses that are in the batch, with what was sent of them.
SELECT
    client_id,
    email,
    payload
FROM contact_sync.batch_contact
WHERE batch_id = %(batch_id)s AND email = any(%(emails)s);

-- sizes --
-- Of a batch's contacts, as JSON.
SELECT
    client_id,
    size
FROM contact_sync.outbox
WHERE run_id = %(run_id)s AND client_id = any(%(client_ids)s)
ORDER BY client_id;

-- addresses_to_suppress --
-- Columns: groups, 0 = everywhere. Index: outbox_suppress
SELECT
    client_id,
    email,
    coalesce(suppress_groups, '{0}') AS groups
FROM contact_sync.batch_contact
WHERE batch_id = %(batch_id)s AND suppress
ORDER BY client_id;

-- address_hashes --
SELECT
    client_id,
    email_hash
FROM contact_sync.batch_client
WHERE batch_id = %(batch_id)s;

-- contact_sample --
-- About `size` contacts, evenly spread.
SELECT
    email,
    payload,
    clears
FROM (
    SELECT
        *,
        row_number() OVER (ORDER BY client_id) AS n,
        count(*) OVER () AS total
    FROM contact_sync.batch_contact
    WHERE batch_id = %(batch_id)s
) AS contact
WHERE mod(n, greatest(1, total / %(size)s)) = 0;

-- batch_bounds --
SELECT
    batch_id,
    run_id,
    sync_id,
    first_id,
    last_id,
    json_only
FROM contact_sync.batch
WHERE batch_id = %(batch_id)s;

-- payloads --
-- Of a CSV batch, in no order: a sort costs more than all the rest. Parameters: batch_bounds, as constants; they tell
-- the planner what the view batch_contact hides from it: how many. Index: outbox primary key
-- One statement, so that what is made rows of meanwhile is read once. Columns: content of a block, or the payload of a
-- row; the other one is NULL
SELECT
    content,
    NULL::text AS payload
FROM contact_sync.outbox_block
WHERE run_id = %(run_id)s AND first_id BETWEEN %(first_id)s AND %(last_id)s
UNION ALL
SELECT
    NULL::bytea AS content,
    payload
FROM contact_sync.outbox
WHERE
    run_id = %(run_id)s
    AND client_id BETWEEN %(first_id)s AND %(last_id)s
    AND (%(json_only)s::boolean IS NULL OR json_only = %(json_only)s);

-- unsure --
-- The next contacts of a batch that are unsure about a field. Parameters: after = client id, null = from the first;
-- at_most
SELECT
    client_id,
    email,
    unsure AS fields
FROM contact_sync.batch_contact
WHERE
    batch_id = %(batch_id)s
    AND (%(after)s::bigint IS NULL OR client_id > %(after)s)
    AND unsure <> 0
ORDER BY client_id
LIMIT %(at_most)s;

-- note_held --
-- What SendGrid holds although B2CORE has nothing, of contacts that have been sent: the batch stays as it is.
-- Parameters: run_id; client_ids, clears, stale = lists of equal length. Index: outbox primary key
UPDATE contact_sync.outbox AS o SET
    clears = o.clears | h.clears,
    stale = o.stale | h.stale,
    filled = o.filled | h.stale
FROM unnest(%(client_ids)s::bigint[], %(clears)s::bigint[], %(stale)s::bigint[]) AS h (client_id, clears, stale)
WHERE o.run_id = %(run_id)s AND o.client_id = h.client_id;

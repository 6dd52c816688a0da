-- Values that SendGrid refused, by hash (state/refused_values.py).

-- read --
-- Of a range of clients. Index: primary key
SELECT
    client_id,
    field,
    value_hash
FROM contact_sync.refused_value
WHERE sync_id = %(sync_id)s AND client_id BETWEEN %(first_id)s AND %(last_id)s
ORDER BY client_id;

-- remember --
-- Parameters: clients, fields, value_hashes and details, as arrays of one length.
INSERT INTO contact_sync.refused_value (sync_id, client_id, field, value_hash, detail, run_id)
SELECT
    %(sync_id)s,
    r.client_id,
    r.field,
    r.value_hash,
    r.detail,
    %(run_id)s
FROM
    unnest(%(clients)s::bigint[], %(fields)s::text[], %(value_hashes)s::bigint[], %(details)s::text[])
        AS r (client_id, field, value_hash, detail)
ON CONFLICT (sync_id, client_id, field) DO UPDATE SET
    value_hash = excluded.value_hash,
    detail = excluded.detail,
    run_id = excluded.run_id,
    since = excluded.since;

-- note_dropped --
-- What is left out now, in the list of all such values.
-- Parameters: clients and fields, as arrays of one length; reason = that SendGrid refused it.
INSERT INTO contact_sync.dropped_value AS d (sync_id, client_id, field, reason, since)
SELECT
    %(sync_id)s,
    r.client_id,
    r.field,
    %(reason)s,
    now()
FROM unnest(%(clients)s::bigint[], %(fields)s::text[]) AS r (client_id, field)
ON CONFLICT (sync_id, client_id, field) DO UPDATE SET
    reason = excluded.reason,
    since = excluded.since
WHERE d.reason <> excluded.reason;

-- forget --
-- The values are others by now. Parameters: clients and fields, as arrays of one length.
DELETE FROM contact_sync.refused_value AS v
USING unnest(%(clients)s::bigint[], %(fields)s::text[]) AS r (client_id, field)
WHERE v.sync_id = %(sync_id)s AND v.client_id = r.client_id AND v.field = r.field;

-- forget_range --
-- All are sent again, with whatever they have.
DELETE FROM contact_sync.refused_value
WHERE sync_id = %(sync_id)s AND client_id BETWEEN %(first_id)s AND %(last_id)s;

-- forget_gone --
-- Of clients that the ledger doesn't know any more.
DELETE FROM contact_sync.refused_value AS v
WHERE
    v.sync_id = %(sync_id)s
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.ledger AS l
        WHERE l.sync_id = v.sync_id AND l.client_id = v.client_id
    );

-- count_of_run --
-- How many values SendGrid refused in a run, by field.
SELECT
    field,
    count(*) AS n
FROM contact_sync.refused_value
WHERE sync_id = %(sync_id)s AND run_id = %(run_id)s
GROUP BY field
ORDER BY field;

-- count_taken --
-- How many contacts a run has confirmed with a value in a field. Parameters: bit = of the field.
-- Index: batch_by_run; one scan of the ledger, of a run in which SendGrid refused values
SELECT count(*) AS n
FROM contact_sync.ledger AS l
INNER JOIN contact_sync.batch AS b ON l.batch_id = b.batch_id
WHERE
    l.sync_id = %(sync_id)s
    AND l.state = 'confirmed'
    AND b.run_id = %(run_id)s
    AND l.filled & (1::bigint << %(bit)s) <> 0;

-- What a run changes, client by client (state/changes.py). Rows are written for people; no run decides by them.

-- drop_of_range --
-- What an earlier try of a slice noted. Parameters: kinds = all but absent. Index: change primary key
DELETE FROM contact_sync.change
WHERE
    run_id = %(run_id)s
    AND kind = any(%(kinds)s)
    AND client_id BETWEEN %(first_id)s AND %(last_id)s;

-- replace_absent --
-- Clients that the snapshot of a run doesn't hold; an earlier try of the task may have found others.
-- Index: change primary key
WITH former AS (
    DELETE FROM contact_sync.change
    WHERE run_id = %(run_id)s AND kind = 'absent' AND NOT client_id = any(%(client_ids)s::bigint[])
)

INSERT INTO contact_sync.change (run_id, sync_id, client_id, kind)
SELECT
    r.run_id,
    r.sync_id,
    g.client_id,
    'absent'
FROM contact_sync.run AS r
CROSS JOIN unnest(%(client_ids)s::bigint[]) AS g (client_id)
WHERE r.run_id = %(run_id)s
ON CONFLICT DO NOTHING;

-- drop_of_clients --
-- Index: change primary key
DELETE FROM contact_sync.change
WHERE run_id = %(run_id)s AND kind = any(%(kinds)s) AND client_id = any(%(client_ids)s::bigint[]);

-- create_noted --
-- Room for what a slice has found.
CREATE TEMPORARY TABLE noted (
    client_id bigint,
    kind text,
    field text,
    reason text,
    detail text,
    fields bigint
) ON COMMIT DROP;

-- note --
INSERT INTO contact_sync.change (run_id, sync_id, client_id, kind, field, reason, detail, fields)
SELECT
    r.run_id,
    r.sync_id,
    n.client_id,
    n.kind,
    n.field,
    n.reason,
    n.detail,
    n.fields
FROM pg_temp.noted AS n
INNER JOIN contact_sync.run AS r ON r.run_id = %(run_id)s
ON CONFLICT DO NOTHING;

-- note_dropped --
-- Values that don't fit, of a slice's clients, which this run has noted first. Index: dropped_value primary key
INSERT INTO contact_sync.change (run_id, sync_id, client_id, kind, field, reason)
SELECT
    r.run_id,
    r.sync_id,
    d.client_id,
    'dropped',
    d.field,
    d.reason
FROM contact_sync.run AS r
INNER JOIN contact_sync.dropped_value AS d ON r.sync_id = d.sync_id
WHERE
    r.run_id = %(run_id)s
    AND d.client_id BETWEEN %(first_id)s AND %(last_id)s
    AND d.since >= r.started_at
ORDER BY d.client_id, d.field
LIMIT %(at_most)s
ON CONFLICT DO NOTHING;

-- note_removals --
-- The contacts of a removal batch, each of a client; who had several former addresses has one row.
-- Index: removal_by_batch
INSERT INTO contact_sync.change (run_id, sync_id, client_id, kind, reason, batch_id)
SELECT DISTINCT ON (a.client_id)
    %(run_id)s,
    a.sync_id,
    a.client_id,
    %(kind)s,
    a.why,
    a.batch_id
FROM contact_sync.removal AS a
WHERE a.batch_id = %(batch_id)s AND a.client_id <> 0
ORDER BY a.client_id ASC, a.why ASC
ON CONFLICT (run_id, kind, client_id, field) DO UPDATE SET
    reason = excluded.reason,
    batch_id = excluded.batch_id;

-- staged --
-- Changed clients with what is staged of them, of these ids. Index: change and outbox primary keys
SELECT
    o.client_id,
    o.email,
    o.payload,
    o.clears
FROM contact_sync.change AS c
INNER JOIN contact_sync.outbox AS o ON c.run_id = o.run_id AND c.client_id = o.client_id
WHERE c.run_id = %(run_id)s AND c.kind = 'changed' AND c.client_id = any(%(client_ids)s::bigint[]);

-- sample --
-- Changed clients from all over that nothing is known of, in an order that is the same each time; none if others of the
-- run were compared. Index: change and outbox primary keys
SELECT
    o.client_id,
    o.email,
    o.payload,
    o.clears
FROM contact_sync.change AS c
INNER JOIN contact_sync.outbox AS o ON c.run_id = o.run_id AND c.client_id = o.client_id
WHERE
    c.run_id = %(run_id)s
    AND c.kind = 'changed'
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.change AS k
        WHERE k.run_id = %(run_id)s AND k.kind = 'changed' AND k.fields IS NOT NULL
    )
ORDER BY hashint8(c.client_id), c.client_id
LIMIT %(at_most)s;

-- moved --
-- Clients with another address, their former one beside it. Index: change, outbox and ledger primary keys
SELECT
    o.client_id,
    l.email AS former,
    o.email
FROM contact_sync.change AS c
INNER JOIN contact_sync.outbox AS o ON c.run_id = o.run_id AND c.client_id = o.client_id
INNER JOIN contact_sync.ledger AS l ON c.sync_id = l.sync_id AND c.client_id = l.client_id
WHERE c.run_id = %(run_id)s AND c.kind = 'moved' AND l.email IS NOT NULL
ORDER BY o.client_id
LIMIT %(at_most)s;

-- note_fields --
-- Parameters: client_ids, fields, sealed = lists of equal length. Index: change primary key
UPDATE contact_sync.change AS c SET
    fields = f.fields,
    before_after = f.sealed
FROM unnest(%(client_ids)s::bigint[], %(fields)s::bigint[], %(sealed)s::bytea[]) AS f (client_id, fields, sealed)
WHERE c.run_id = %(run_id)s AND c.client_id = f.client_id AND c.kind = %(kind)s;

-- count_fields --
-- How many clients of a run change the same fields, of those that were compared. Index: change primary key
SELECT
    fields,
    count(*) AS n
FROM contact_sync.change
WHERE run_id = %(run_id)s AND kind = 'changed' AND fields IS NOT NULL
GROUP BY fields;

-- close --
-- What became of the clients, before later runs write over it in the ledger.
-- Parameters: sent = kinds of clients that are sent, whose reasons are known only now.
-- Index: change, ledger and batch primary keys
UPDATE contact_sync.change AS c SET
    state = CASE l.state WHEN 'shared' THEN 'excluded' ELSE l.state END,
    reason = CASE WHEN c.kind = any(%(sent)s) THEN l.reason ELSE c.reason END,
    detail = CASE WHEN c.kind = any(%(sent)s) THEN l.detail ELSE c.detail END,
    batch_id = b.batch_id
FROM contact_sync.ledger AS l
LEFT JOIN contact_sync.batch AS b ON l.batch_id = b.batch_id AND b.run_id = %(run_id)s
WHERE
    c.run_id = %(run_id)s
    AND c.kind NOT IN ('removed', 'unlisted')
    AND c.sync_id = l.sync_id
    AND c.client_id = l.client_id;

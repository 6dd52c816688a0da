-- Slices and the outbox: what a run reads, and what it has staged to be sent (state/staging.py).

-- drop_slices --
DELETE FROM contact_sync.slice
WHERE run_id = %(run_id)s;

-- insert_slice --
-- members: an Arrow stream of the clients with their address hashes and verdicts.
INSERT INTO contact_sync.slice (run_id, slice_no, first_id, last_id, clients, members)
VALUES (%(run_id)s, %(slice_no)s, %(first_id)s, %(last_id)s, %(clients)s, %(members)s);

-- load_slice --
SELECT
    slice_no,
    first_id,
    last_id,
    members
FROM contact_sync.slice
WHERE run_id = %(run_id)s AND slice_no = %(slice_no)s;

-- lock_slice --
SELECT 1 FROM contact_sync.slice
WHERE run_id = %(run_id)s AND slice_no = %(slice_no)s
FOR UPDATE;

-- save_slice_counts --
UPDATE contact_sync.slice SET counts = %(counts)s
WHERE run_id = %(run_id)s AND slice_no = %(slice_no)s;

-- slice_counts --
SELECT counts FROM contact_sync.slice
WHERE run_id = %(run_id)s
ORDER BY slice_no;

-- drop_outbox_of_slice --
DELETE FROM contact_sync.outbox
WHERE run_id = %(run_id)s AND client_id BETWEEN %(first_id)s AND %(last_id)s;

-- drop_outbox_of_clients --
DELETE FROM contact_sync.outbox
WHERE run_id = %(run_id)s AND client_id = any(%(client_ids)s::bigint[]);

-- heirs --
-- Who represents an address for a client that is rejected: the newest of those that share it, where nobody else of the
-- address is sent, confirmed, pending or excluded. Runs when all slices are staged
-- Columns: client_id, email_hash, takes_over = the address has a contact; judged = the run has looked at the client
-- Index: ledger_unconfirmed for the clients; three scans of the ledger, if there are any
-- The ledger's statistics may be of an empty table: nothing here is left to the planner's choice of a join. IS TRUE
-- keeps IN from becoming one, and the addresses are looked up in a table of hashes.
WITH heir AS MATERIALIZED (
    SELECT
        l.email_hash,
        max(l.client_id) FILTER (WHERE l.state = 'shared') AS client_id,
        (array_agg(l.updated_at ORDER BY l.client_id DESC) FILTER (WHERE l.state = 'shared'))[1] AS updated_at
    FROM contact_sync.ledger AS l
    WHERE
        l.sync_id = %(sync_id)s
        AND l.state IN ('shared', 'rejected')
        AND l.absent = 0
        AND l.email_hash <> 0
    GROUP BY l.email_hash
    HAVING bool_or(l.state = 'shared') AND bool_or(l.state = 'rejected')
),

needed AS (
    SELECT l.email_hash
    FROM contact_sync.ledger AS l
    WHERE
        l.sync_id = %(sync_id)s
        AND l.state NOT IN ('shared', 'rejected')
        AND l.absent = 0
        AND (l.email_hash IN (SELECT h.email_hash FROM heir AS h)) IS TRUE
    UNION ALL
    SELECT o.email_hash
    FROM contact_sync.staged_client AS o
    WHERE o.run_id = %(run_id)s AND (o.email_hash IN (SELECT h.email_hash FROM heir AS h)) IS TRUE
),

taken AS (
    SELECT l.contact_hash AS email_hash
    FROM contact_sync.ledger AS l
    WHERE l.sync_id = %(sync_id)s AND (l.contact_hash IN (SELECT h.email_hash FROM heir AS h)) IS TRUE
    UNION ALL
    SELECT m.email_hash
    FROM contact_sync.removal AS m
    WHERE m.sync_id = %(sync_id)s AND m.why <> 'list_changed'
)

SELECT
    h.client_id,
    h.email_hash,
    h.email_hash IN (SELECT t.email_hash FROM taken AS t) AS takes_over,
    r.kind <> 'incremental' OR h.updated_at >= r.started_at AS judged
FROM heir AS h
INNER JOIN contact_sync.run AS r ON r.run_id = %(run_id)s
WHERE h.email_hash NOT IN (SELECT n.email_hash FROM needed AS n)
ORDER BY h.client_id;

-- drop_sparse_slices --
DELETE FROM contact_sync.slice
WHERE run_id = %(run_id)s AND slice_no <= %(heirs)s
RETURNING members;

-- count_outbox --
SELECT count(*) AS n FROM contact_sync.outbox
WHERE run_id = %(run_id)s;

-- drop_slices_of_dead_runs --
-- What a run that was killed had still to read.
DELETE FROM contact_sync.slice AS s
USING contact_sync.run AS r
WHERE s.run_id = r.run_id AND r.sync_id = %(sync_id)s AND r.state <> 'running';

-- drop_outbox --
DELETE FROM contact_sync.outbox
WHERE run_id = %(run_id)s;

-- runs_not_cleared --
-- Earlier runs whose contacts may be staged still: those since the newest one that succeeded, which has dropped those
-- of older ones, and left none itself. What a large run has sent is dead in the table and its index until they are
-- vacuumed, and a walk through the contacts of all runs would meet it each time.
-- Index: run_succeeded, run_by_sync
SELECT r.run_id
FROM contact_sync.run AS r
WHERE
    r.sync_id = %(sync_id)s
    AND r.run_id < %(run_id)s
    AND r.run_id > coalesce(
        (
            SELECT s.run_id FROM contact_sync.run AS s
            WHERE s.sync_id = %(sync_id)s AND s.state = 'succeeded' AND NOT s.dry_run AND s.run_id < %(run_id)s
            ORDER BY s.run_id DESC
            LIMIT 1
        ),
        0
    );

-- outbox_sizes --
-- Read as Arrow, without an order: a sort here costs more than one by Arrow.
SELECT
    client_id,
    size,
    json_only
FROM contact_sync.outbox
WHERE run_id = %(run_id)s;

-- in_vain --
-- Staged clients that were sent in vain again and again, and nobody knows whether they are the cause: jobs that fail as
-- a whole, and requests that are refused, are split at once. Parameters: sync_id; least = so often.
-- Index: ledger_unconfirmed; outbox and ledger primary keys
SELECT o.client_id
FROM contact_sync.ledger AS l
INNER JOIN contact_sync.outbox AS o ON o.run_id = %(run_id)s AND l.client_id = o.client_id
WHERE
    l.sync_id = %(sync_id)s
    AND l.state = 'pending'
    AND l.tries >= %(least)s
    AND l.reason NOT IN ('job_failed', 'request_refused')
ORDER BY o.client_id;

-- unsure_contacts --
-- The next contacts of a run that are unsure about a field. Index: outbox primary key
-- Parameters: texts = Text fields count, too; after = client id, null = from the first; at_most
SELECT
    client_id,
    email,
    unsure | unsure_others AS fields
FROM contact_sync.outbox
WHERE
    run_id = %(run_id)s
    AND (%(after)s::bigint IS NULL OR client_id > %(after)s)
    AND (unsure_others <> 0 OR (%(texts)s AND unsure <> 0))
ORDER BY client_id
LIMIT %(at_most)s;

-- save_held --
-- What SendGrid holds although B2CORE has nothing. Parameters: client_ids, clears, stale = lists of equal length.
-- Index: outbox primary key
UPDATE contact_sync.outbox AS o SET
    clears = o.clears | h.clears,
    stale = o.stale | h.stale,
    filled = o.filled | h.stale,
    json_only = o.json_only OR h.stale = 0 OR h.clears <> 0
FROM unnest(%(client_ids)s::bigint[], %(clears)s::bigint[], %(stale)s::bigint[]) AS h (client_id, clears, stale)
WHERE o.run_id = %(run_id)s AND o.client_id = h.client_id;

-- count_cleared --
SELECT count(*) AS n FROM contact_sync.outbox
WHERE run_id = %(run_id)s AND clears <> 0;

-- count_stale --
SELECT
    stale,
    count(*) AS n
FROM contact_sync.outbox
WHERE run_id = %(run_id)s AND stale <> 0
GROUP BY stale;

-- Erasures: requests, what is left to do, and the record of each (state/erasures.py).

-- insert_erasure --
INSERT INTO contact_sync.erasure (erasure_id, sync_name) VALUES (%(erasure_id)s, %(sync_name)s);

-- create_part --
-- sent_at: the newest moment at which a batch of the clients, or any upsert of the sync to whose batch they may belong,
-- left. Parameters: erasure_id, sync_id, client_ids
INSERT INTO contact_sync.erasure_part (erasure_id, sync_id, run_mark, verification_mark, sent_at)
SELECT
    %(erasure_id)s,
    %(sync_id)s,
    (
        SELECT coalesce(max(r.run_id), 0) FROM contact_sync.run AS r
        WHERE r.sync_id = %(sync_id)s
    ),
    (
        SELECT coalesce(max(v.verification_id), 0) FROM contact_sync.verification AS v
        WHERE v.sync_id = %(sync_id)s
    ),
    (
        SELECT max(greatest(b.submitted_at, b.fate_unknown_at, b.settled_at))
        FROM contact_sync.batch AS b
        WHERE
            b.sync_id = %(sync_id)s
            AND b.lane IN ('json', 'csv', 'move')
            AND b.submitted_at IS NOT NULL
            AND (
                b.first_id IS NULL
                OR EXISTS (
                    SELECT 1 FROM unnest(%(client_ids)s::bigint[]) AS c (id)
                    WHERE c.id BETWEEN b.first_id AND b.last_id
                )
            )
    )
ON CONFLICT DO NOTHING;

-- note_address --
INSERT INTO contact_sync.erasure_address (erasure_id, sync_id, email, email_hash)
VALUES (%(erasure_id)s, %(sync_id)s, %(email)s, %(email_hash)s)
ON CONFLICT DO NOTHING;

-- note_client --
INSERT INTO contact_sync.erasure_client (erasure_id, sync_id, client_id)
VALUES (%(erasure_id)s, %(sync_id)s, %(client_id)s)
ON CONFLICT DO NOTHING;

-- open_parts --
-- What is left to do in a sync, the oldest first. Parameters: sync_id; erasure_id, null = all
-- seconds_since_sent: null = the person wasn't sent
SELECT
    p.erasure_id,
    p.sync_id,
    p.run_mark,
    p.verification_mark,
    p.purged_at IS NOT NULL AS is_purged,
    p.delete_job,
    p.events_job,
    extract(EPOCH FROM now() - p.sent_at)::float8 AS seconds_since_sent
FROM contact_sync.erasure_part AS p
INNER JOIN contact_sync.erasure AS e ON p.erasure_id = e.erasure_id
WHERE
    p.sync_id = %(sync_id)s
    AND (%(erasure_id)s::text IS NULL OR p.erasure_id = %(erasure_id)s)
ORDER BY e.requested_at, p.erasure_id;

-- part_addresses --
SELECT
    email,
    email_hash,
    deleted
FROM contact_sync.erasure_address
WHERE erasure_id = %(erasure_id)s AND sync_id = %(sync_id)s
ORDER BY email;

-- part_clients --
SELECT client_id FROM contact_sync.erasure_client
WHERE erasure_id = %(erasure_id)s AND sync_id = %(sync_id)s
ORDER BY client_id;

-- clients_everywhere --
-- A sync without clients of the person has a part, too.
SELECT
    p.sync_id,
    array_remove(array_agg(c.client_id ORDER BY c.client_id), NULL) AS client_ids
FROM contact_sync.erasure_part AS p
LEFT JOIN contact_sync.erasure_client AS c ON p.erasure_id = c.erasure_id AND p.sync_id = c.sync_id
WHERE p.erasure_id = %(erasure_id)s
GROUP BY p.sync_id;

-- is_in_use --
-- Whether something that began before the request may still need, or write, what the state database has of the person.
-- Parameters: sync_id, run_mark, verification_mark, own_run = the run that asks, 0 = none
SELECT
    EXISTS (
        SELECT 1 FROM contact_sync.run AS r
        WHERE r.sync_id = %(sync_id)s AND r.state = 'running' AND r.run_id <> %(own_run)s AND r.run_id <= %(run_mark)s
    ) OR EXISTS (
        SELECT 1 FROM contact_sync.batch AS b
        WHERE b.sync_id = %(sync_id)s AND b.is_open AND b.run_id <= %(run_mark)s
    ) OR EXISTS (
        SELECT 1 FROM contact_sync.verification AS v
        WHERE
            v.sync_id = %(sync_id)s
            AND v.state = 'running'
            AND v.verification_id <= %(verification_mark)s
    ) AS found;

-- note_purged --
-- sent_at: a batch that was open when it was asked for has been settled since.
UPDATE contact_sync.erasure_part AS p SET
    purged_at = now(),
    sent_at = greatest(p.sent_at, (
        SELECT max(b.settled_at) FROM contact_sync.batch AS b
        INNER JOIN contact_sync.erasure AS e ON e.erasure_id = p.erasure_id
        WHERE
            b.sync_id = p.sync_id
            AND b.submitted_at IS NOT NULL
            AND b.settled_at >= e.requested_at
            AND b.lane IN ('json', 'csv', 'move')
            AND b.run_id <= p.run_mark
    ))
WHERE p.erasure_id = %(erasure_id)s AND p.sync_id = %(sync_id)s;

-- note_deleted --
UPDATE contact_sync.erasure_address SET deleted = TRUE
WHERE erasure_id = %(erasure_id)s AND sync_id = %(sync_id)s AND email = any(%(emails)s);

-- note_jobs --
UPDATE contact_sync.erasure_part SET
    delete_job = coalesce(%(delete_job)s, delete_job),
    events_job = coalesce(%(events_job)s, events_job)
WHERE erasure_id = %(erasure_id)s AND sync_id = %(sync_id)s;

-- end_part --
-- Its addresses and ids go with it.
DELETE FROM contact_sync.erasure_part
WHERE erasure_id = %(erasure_id)s AND sync_id = %(sync_id)s
RETURNING NOT EXISTS (
    SELECT 1 FROM contact_sync.erasure_part AS o
    WHERE o.erasure_id = %(erasure_id)s AND o.sync_id <> %(sync_id)s
) AS was_last;

-- finish --
UPDATE contact_sync.erasure SET
    finished_at = now(),
    cause = NULL
WHERE erasure_id = %(erasure_id)s;

-- note_cause --
UPDATE contact_sync.erasure SET cause = %(cause)s
WHERE erasure_id = %(erasure_id)s AND finished_at IS NULL;

-- lift --
UPDATE contact_sync.erasure SET lifted_at = now()
WHERE erasure_id = %(erasure_id)s AND lifted_at IS NULL;

-- lock --
-- The row stays locked, so that two steps of an erasure don't get the same number.
SELECT erasure_id FROM contact_sync.erasure
WHERE erasure_id = %(erasure_id)s
FOR UPDATE;

-- last_seal --
SELECT
    step_no,
    seal
FROM contact_sync.erasure_step
WHERE erasure_id = %(erasure_id)s
ORDER BY step_no DESC
LIMIT 1;

-- add_step --
INSERT INTO contact_sync.erasure_step (
    erasure_id, step_no, at, what, sync_name, by_whom, reason, numbers, job_id, key_id, seal
) VALUES (
    %(erasure_id)s, %(step_no)s, %(at)s, %(what)s, %(sync_name)s, %(by_whom)s, %(reason)s, %(numbers)s, %(job_id)s,
    %(key_id)s, %(seal)s
);

-- now --
SELECT date_trunc('second', now()) AS at;

-- steps --
SELECT
    step_no,
    at,
    what,
    sync_name,
    by_whom,
    reason,
    numbers,
    job_id,
    key_id,
    seal
FROM contact_sync.erasure_step
WHERE erasure_id = %(erasure_id)s
ORDER BY step_no;

-- erasures --
-- Newest first. Parameters: beginning = of the id; at_most; sync_name = asked for there or of its clients, null = all
SELECT
    e.erasure_id,
    e.sync_name,
    e.requested_at,
    e.finished_at,
    e.lifted_at,
    e.cause,
    (
        SELECT count(*) FROM contact_sync.tombstone AS t
        WHERE t.erasure_id = e.erasure_id
    ) AS tombstones,
    (
        SELECT array_agg(s.name ORDER BY s.name) FROM contact_sync.erasure_part AS p
        INNER JOIN contact_sync.sync AS s ON p.sync_id = s.sync_id
        WHERE p.erasure_id = e.erasure_id
    ) AS open_in
FROM contact_sync.erasure AS e
WHERE
    starts_with(e.erasure_id, %(beginning)s)
    AND (
        coalesce(%(sync_name)s, e.sync_name) = e.sync_name
        OR EXISTS (
            SELECT FROM contact_sync.tombstone AS t
            WHERE t.erasure_id = e.erasure_id AND t.sync_name = %(sync_name)s
        )
    )
ORDER BY e.requested_at DESC, e.erasure_id ASC
LIMIT %(at_most)s;

-- every_id --
SELECT erasure_id FROM contact_sync.erasure
ORDER BY requested_at, erasure_id;

-- count_known --
-- All that this database has, of every sync, and those that are lost by a person's word. Parameters: sync_name
SELECT
    (SELECT count(*) FROM contact_sync.erasure) + coalesce((
        SELECT s.erasures_lost FROM contact_sync.sync AS s
        WHERE s.name = %(sync_name)s
    ), 0) AS n;

-- count_open --
-- late: also what was asked for in the sync and waits for another one, maybe disabled. Parameters: sync_id, seconds
SELECT
    count(*) FILTER (WHERE p.sync_id = %(sync_id)s) AS n,
    count(DISTINCT p.erasure_id) FILTER (WHERE e.requested_at < now() - make_interval(secs => %(seconds)s)) AS late
FROM contact_sync.erasure_part AS p
INNER JOIN contact_sync.erasure AS e ON p.erasure_id = e.erasure_id
INNER JOIN contact_sync.sync AS s ON s.sync_id = %(sync_id)s AND (p.sync_id = s.sync_id OR e.sync_name = s.name);

-- accept_loss --
UPDATE contact_sync.sync SET erasures_lost = erasures_lost + %(lost)s
WHERE name = %(sync_name)s;

-- take_back_loss --
UPDATE contact_sync.sync SET erasures_lost = greatest(0, erasures_lost - %(found)s)
WHERE erasures_lost > 0;

-- put_back --
-- An erasure of a file. Parameters: erasure_id, sync_name, requested_at, finished_at, lifted_at
INSERT INTO contact_sync.erasure (erasure_id, sync_name, requested_at, finished_at, lifted_at)
VALUES (%(erasure_id)s, %(sync_name)s, %(requested_at)s, %(finished_at)s, %(lifted_at)s)
ON CONFLICT DO NOTHING;

-- reopen --
-- The state database went back to before the erasure: it has the person again.
UPDATE contact_sync.erasure SET finished_at = NULL
WHERE erasure_id = %(erasure_id)s;

-- all_syncs --
SELECT
    sync_id,
    name
FROM contact_sync.sync
ORDER BY sync_id;

-- open_of --
-- The oldest unfinished erasure of a person. Parameters: sync_id, email_hashes, client_ids
SELECT p.erasure_id
FROM contact_sync.erasure_part AS p
INNER JOIN contact_sync.erasure AS e ON p.erasure_id = e.erasure_id
WHERE
    p.sync_id = %(sync_id)s
    AND NOT EXISTS (
        SELECT 1 FROM unnest(%(email_hashes)s::bigint[]) AS h (email_hash)
        WHERE h.email_hash NOT IN (
            SELECT a.email_hash FROM contact_sync.erasure_address AS a
            WHERE a.erasure_id = p.erasure_id AND a.sync_id = p.sync_id
        )
    )
    AND NOT EXISTS (
        SELECT 1 FROM unnest(%(client_ids)s::bigint[]) AS c (client_id)
        WHERE c.client_id NOT IN (
            SELECT k.client_id FROM contact_sync.erasure_client AS k
            WHERE k.erasure_id = p.erasure_id AND k.sync_id = p.sync_id
        )
    )
ORDER BY e.requested_at
LIMIT 1;

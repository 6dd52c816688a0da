-- What no run needs any more (state/pruning.py). Each due_… finds keys, at_most so many, of what is older than `days`;
-- each delete_… takes such keys, and looks once more at whatever may have changed meanwhile.

-- is_believed --
-- Nothing goes while the ledger is in doubt: what is old may be all that is known.
SELECT unproven IS NULL AS found
FROM contact_sync.sync
WHERE sync_id = %(sync_id)s;

-- due_findings --
-- Index: finding and verification primary keys
SELECT
    f.verification_id,
    f.finding_no
FROM contact_sync.finding AS f
INNER JOIN contact_sync.verification AS v ON f.verification_id = v.verification_id
WHERE
    v.sync_id = %(sync_id)s
    AND v.state <> 'running'
    AND v.finished_at < now() - make_interval(days => %(days)s)
ORDER BY f.verification_id, f.finding_no
LIMIT %(at_most)s;

-- delete_findings --
DELETE FROM contact_sync.finding AS f
USING unnest(%(verification_id)s::bigint[], %(finding_no)s::bigint[]) AS due (verification_id, finding_no)
WHERE f.verification_id = due.verification_id AND f.finding_no = due.finding_no;

-- due_verifications --
-- Not the newest one that is over, nor the newest that succeeded: pages, alerts and repairs are about these.
-- Index: verification_by_sync
SELECT v.verification_id
FROM contact_sync.verification AS v
WHERE
    v.sync_id = %(sync_id)s
    AND v.state <> 'running'
    AND v.finished_at < now() - make_interval(days => %(days)s)
    AND v.verification_id < least(
        (
            SELECT max(n.verification_id) FROM contact_sync.verification AS n
            WHERE n.sync_id = %(sync_id)s AND n.state <> 'running'
        ),
        (
            SELECT max(n.verification_id) FROM contact_sync.verification AS n
            WHERE n.sync_id = %(sync_id)s AND n.state = 'succeeded'
        )
    )
ORDER BY v.verification_id
LIMIT %(at_most)s;

-- delete_verifications --
DELETE FROM contact_sync.verification
WHERE verification_id = any(%(verification_id)s::bigint[]);

-- due_reports --
-- Of runs that are over, before the last ordinary one that succeeded. Index: run_by_sync, run_succeeded
SELECT r.run_id
FROM contact_sync.run AS r
WHERE
    r.sync_id = %(sync_id)s
    AND r.state <> 'running'
    AND r.report_gone_at IS NULL
    AND r.finished_at < now() - make_interval(days => %(days)s)
    AND r.run_id < (
        SELECT max(s.run_id) FROM contact_sync.run AS s
        WHERE s.sync_id = %(sync_id)s AND s.state = 'succeeded' AND NOT s.dry_run AND s.only_clients IS NULL
    )
ORDER BY r.run_id
LIMIT %(at_most)s;

-- delete_reports --
-- A trial stays one, of nobody. The list that it filled stays: whose contacts are confirmed there is looked up by it.
UPDATE contact_sync.run SET
    plan = NULL,
    result = NULL,
    reason = NULL,
    cause = NULL,
    approval = NULL,
    only_clients = CASE WHEN only_clients IS NOT NULL THEN '{}'::bigint[] END,
    report_gone_at = now()
WHERE run_id = any(%(run_id)s::bigint[]) AND state <> 'running';

-- due_changes --
-- Of runs that are over. Index: run_by_sync, change primary key
SELECT
    c.run_id,
    c.client_id,
    c.kind,
    c.field
FROM contact_sync.run AS r
INNER JOIN contact_sync.change AS c ON r.run_id = c.run_id
WHERE
    r.sync_id = %(sync_id)s
    AND r.state <> 'running'
    AND r.finished_at < now() - make_interval(days => %(days)s)
ORDER BY c.run_id, c.client_id, c.kind, c.field
LIMIT %(at_most)s;

-- delete_changes --
DELETE FROM contact_sync.change AS c
USING
    unnest(%(run_id)s::bigint[], %(client_id)s::bigint[], %(kind)s::text[], %(field)s::text[])
        AS due (run_id, client_id, kind, field)
WHERE c.run_id = due.run_id AND c.client_id = due.client_id AND c.kind = due.kind AND c.field = due.field;

-- due_batches --
-- Of runs that are over and have left nothing open, before the last ordinary one that succeeded; not those that the
-- ledger, a removal or what goes along names, nor others of their families: by these it is known when, and on which
-- list, a client was confirmed. Parts come before what they were split from, which they name.
-- Index: batch_by_run, batch primary key; one scan of the ledger
WITH named AS MATERIALIZED (
    SELECT l.batch_id FROM contact_sync.ledger AS l
    WHERE l.sync_id = %(sync_id)s AND l.batch_id IS NOT NULL
    UNION
    SELECT a.batch_id FROM contact_sync.removal AS a
    WHERE a.sync_id = %(sync_id)s AND a.batch_id IS NOT NULL
    UNION
    SELECT m.batch_id FROM contact_sync.move AS m
    WHERE m.sync_id = %(sync_id)s AND m.batch_id IS NOT NULL
),

needed AS MATERIALIZED (
    SELECT coalesce(b.root_id, b.batch_id) AS root_id
    FROM named AS n
    INNER JOIN contact_sync.batch AS b ON n.batch_id = b.batch_id
    UNION
    SELECT coalesce(b.root_id, b.batch_id) AS root_id
    FROM contact_sync.batch AS b
    WHERE b.sync_id = %(sync_id)s AND b.is_open
)

SELECT b.batch_id
FROM contact_sync.batch AS b
INNER JOIN contact_sync.run AS r ON b.run_id = r.run_id
WHERE
    b.sync_id = %(sync_id)s
    AND NOT b.is_open
    AND b.settled_at < now() - make_interval(days => %(days)s)
    AND r.state <> 'running'
    AND r.finished_at < now() - make_interval(days => %(days)s)
    AND r.run_id < (
        SELECT max(s.run_id) FROM contact_sync.run AS s
        WHERE s.sync_id = %(sync_id)s AND s.state = 'succeeded' AND NOT s.dry_run AND s.only_clients IS NULL
    )
    AND NOT EXISTS (
        SELECT 1 FROM needed AS n
        WHERE n.root_id = coalesce(b.root_id, b.batch_id)  -- noqa: RF01
    )
ORDER BY b.root_id IS NULL ASC, b.batch_id ASC
LIMIT %(at_most)s;

-- delete_batches --
DELETE FROM contact_sync.batch
WHERE batch_id = any(%(batch_id)s::bigint[]) AND NOT is_open;

-- due_runs --
-- Of runs without batches, without anything to be sent. Not the last one that succeeded, what came after it, the last
-- full one, nor the newest that left its mark at each kind of place: what goes on is judged by them.
-- Parameters: without = ids of batches that count as gone. Index: run_by_sync, run_succeeded, run_marked, batch_by_run,
-- outbox and outbox_block primary keys
SELECT r.run_id
FROM contact_sync.run AS r
WHERE
    r.sync_id = %(sync_id)s
    AND r.state <> 'running'
    AND r.finished_at < now() - make_interval(days => %(days)s)
    AND r.run_id < (
        SELECT max(s.run_id) FROM contact_sync.run AS s
        WHERE s.sync_id = %(sync_id)s AND s.state = 'succeeded' AND NOT s.dry_run AND s.only_clients IS NULL
    )
    AND r.run_id <> coalesce(
        (
            SELECT max(f.run_id) FROM contact_sync.run AS f
            WHERE
                f.sync_id = %(sync_id)s
                AND f.state = 'succeeded'
                AND NOT f.dry_run
                AND f.only_clients IS NULL
                AND f.kind <> 'incremental'
        ),
        0
    )
    AND (
        r.mark_place IS NULL
        OR EXISTS (
            SELECT 1 FROM contact_sync.run AS m
            WHERE m.sync_id = r.sync_id AND m.mark_place = r.mark_place AND m.run_id > r.run_id
        )
    )
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.batch AS b
        WHERE b.run_id = r.run_id AND b.batch_id <> all(%(without)s::bigint[])
    )
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.outbox AS o
        WHERE o.run_id = r.run_id
    )
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.outbox_block AS k
        WHERE k.run_id = r.run_id
    )
ORDER BY r.run_id
LIMIT %(at_most)s;

-- delete_runs --
-- Their slices go with them.
DELETE FROM contact_sync.run
WHERE run_id = any(%(run_id)s::bigint[]) AND state <> 'running';

-- due_kept_removals --
-- Not those whose address a client of any sync has, or had a contact at: it takes over, or gives back, what is there.
-- Index: one scan of removal and of the ledger
SELECT a.email
FROM contact_sync.removal AS a
WHERE
    a.sync_id = %(sync_id)s
    AND a.kept
    AND a.noted_at < now() - make_interval(days => %(days)s)
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.ledger AS l
        WHERE l.contact_hash = a.email_hash
    )
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.ledger AS l
        WHERE l.email_hash = a.email_hash
    )
ORDER BY a.email
LIMIT %(at_most)s;

-- delete_kept_removals --
DELETE FROM contact_sync.removal
WHERE sync_id = %(sync_id)s AND email = any(%(email)s::text[]) AND kept;

-- due_lifted_suppressions --
-- Index: suppression_lifted
SELECT
    email,
    kind,
    group_id
FROM contact_sync.suppression
WHERE sync_id = %(sync_id)s AND gone_at < now() - make_interval(days => %(days)s)
ORDER BY gone_at
LIMIT %(at_most)s;

-- delete_lifted_suppressions --
DELETE FROM contact_sync.suppression AS s
USING unnest(%(email)s::text[], %(kind)s::text[], %(group_id)s::integer[]) AS due (email, kind, group_id)
WHERE
    s.sync_id = %(sync_id)s
    AND s.email = due.email
    AND s.kind = due.kind
    AND s.group_id = due.group_id
    AND s.gone_at IS NOT NULL;

-- due_dropped_values --
-- Only of a sync without a run that succeeded lately: any other keeps its list right by itself, and would write again
-- what is deleted. Index: dropped_value primary key, run_running, run_succeeded
SELECT
    d.client_id,
    d.field
FROM contact_sync.dropped_value AS d
WHERE
    d.sync_id = %(sync_id)s
    AND d.since < now() - make_interval(days => %(days)s)
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.run AS r
        WHERE r.sync_id = %(sync_id)s AND r.state = 'running' AND NOT r.dry_run
    )
    AND coalesce(
        (
            SELECT r.finished_at FROM contact_sync.run AS r
            WHERE r.sync_id = %(sync_id)s AND r.state = 'succeeded' AND NOT r.dry_run
            ORDER BY r.run_id DESC
            LIMIT 1
        ),
        '-infinity'
    ) < now() - make_interval(days => %(days)s)
ORDER BY d.client_id, d.field
LIMIT %(at_most)s;

-- delete_dropped_values --
DELETE FROM contact_sync.dropped_value AS d
USING unnest(%(client_id)s::bigint[], %(field)s::text[]) AS due (client_id, field)
WHERE d.sync_id = %(sync_id)s AND d.client_id = due.client_id AND d.field = due.field;

-- What a verification found is looked at again, because both sides go on changing (state/rechecking.py).

-- candidates --
-- Not looked at yet: first those that may be races, foreign contacts last.
-- Parameters: changed = clients that changed in B2CORE since; at_most
WITH candidate AS (
    SELECT
        f.finding_no,
        f.verdict,
        f.client_id,
        f.email,
        f.email_hash,
        f.updated_at,
        coalesce(
            f.updated_at >= v.ordered_at - interval '5 minutes'
            OR l.updated_at >= v.ordered_at
            OR f.client_id = any(%(changed)s::bigint[]),
            FALSE
        ) AS may_be_race
    FROM contact_sync.finding AS f
    INNER JOIN contact_sync.verification AS v ON f.verification_id = v.verification_id
    LEFT JOIN contact_sync.ledger AS l ON v.sync_id = l.sync_id AND f.client_id = l.client_id
    WHERE
        f.verification_id = %(verification_id)s
        AND f.looked_at IS NULL
)

SELECT
    d.finding_no,
    d.verdict,
    d.client_id,
    d.email,
    d.email_hash,
    d.updated_at,
    d.may_be_race,
    c.row_hash,
    c.left_out
FROM candidate AS d
LEFT JOIN contact_sync.verify_client AS c ON c.verification_id = %(verification_id)s AND d.client_id = c.client_id
ORDER BY d.verdict = 'foreign_on_list' ASC, d.may_be_race DESC, d.finding_no ASC
LIMIT %(at_most)s;

-- note_waiting --
-- Their clients wait for a run: what they call for by now is another thing. Parameters: numbers = finding_no
UPDATE contact_sync.verify_client AS c SET waits = TRUE
FROM contact_sync.finding AS f
WHERE
    f.verification_id = %(verification_id)s
    AND f.finding_no = any(%(numbers)s::bigint[])
    AND c.verification_id = f.verification_id
    AND c.client_id = f.client_id;

-- drop_findings_of --
-- They are no differences. Parameters: numbers = finding_no
DELETE FROM contact_sync.finding
WHERE verification_id = %(verification_id)s AND finding_no = any(%(numbers)s::bigint[]);

-- save_looks --
-- What SendGrid shows of them now. Parameters: arrays of one length; fields = names, a line each
UPDATE contact_sync.finding AS f SET
    looked_at = now(),
    verdict = s.verdict,
    on_list = s.on_list,
    fields = string_to_array(s.fields, E'\n')
FROM
    unnest(%(numbers)s::bigint[], %(verdicts)s::text[], %(on_list)s::boolean[], %(fields)s::text[])
        AS s (finding_no, verdict, on_list, fields)
WHERE f.verification_id = %(verification_id)s AND f.finding_no = s.finding_no;

-- add_counts --
UPDATE contact_sync.verification AS v SET
    counts = v.counts || coalesce(
        (
            SELECT jsonb_object_agg(a.key, coalesce((v.counts ->> a.key)::bigint, 0) + a.value::bigint)
            FROM jsonb_each_text(%(counts)s::jsonb) AS a
        ),
        '{}'
    )
WHERE v.verification_id = %(verification_id)s;

-- stranger_hashes --
-- Of contacts that should not be where they are.
SELECT email_hash FROM contact_sync.finding
WHERE verification_id = %(verification_id)s AND verdict = any(%(verdicts)s);

-- drop_hashes --
-- Clients have these addresses by now.
DELETE FROM contact_sync.finding
WHERE
    verification_id = %(verification_id)s
    AND verdict = any(%(verdicts)s)
    AND email_hash = any(%(gone)s::bigint[]);

-- drop_moved --
-- A run has dealt with them since B2CORE was read, or is about to: whatever was seen may have been in between.
-- Parameters: verdicts = of contacts without a client. Columns: of_clients, of_contacts
-- Index: none: a scan of the ledger, only where there are findings
WITH asked AS (
    SELECT
        v.sync_id,
        least(v.read_at, v.ordered_at) AS since
    FROM contact_sync.verification AS v
    WHERE v.verification_id = %(verification_id)s
),

sent AS (
    SELECT
        o.client_id,
        o.email_hash
    FROM contact_sync.staged_client AS o
    INNER JOIN contact_sync.run AS r ON o.run_id = r.run_id
    INNER JOIN asked AS q ON r.sync_id = q.sync_id
    WHERE r.state = 'running' AND NOT r.dry_run
),

moved AS MATERIALIZED (
    SELECT
        l.client_id,
        l.email_hash,
        l.contact_hash
    FROM contact_sync.ledger AS l
    INNER JOIN asked AS q ON l.sync_id = q.sync_id
    LEFT JOIN contact_sync.run AS r ON l.absent_run = r.run_id
    -- A run that counts a client as absent changes nothing else of it before it removes the contact.
    WHERE l.updated_at >= q.since OR (l.absent > 0 AND r.state = 'running')
),

going AS (
    SELECT m.email_hash
    FROM contact_sync.removal AS m
    INNER JOIN asked AS q ON m.sync_id = q.sync_id
    LEFT JOIN contact_sync.batch AS b ON m.batch_id = b.batch_id
    WHERE NOT m.kept AND (m.noted_at >= q.since OR b.is_open)
),

address AS (
    SELECT m.email_hash FROM moved AS m
    UNION
    SELECT m.contact_hash FROM moved AS m
    UNION
    SELECT o.email_hash FROM sent AS o
    UNION
    SELECT g.email_hash FROM going AS g
),

client AS (
    SELECT m.client_id FROM moved AS m
    UNION
    SELECT o.client_id FROM sent AS o
),

dropped AS (
    DELETE FROM contact_sync.finding AS f
    WHERE
        f.verification_id = %(verification_id)s
        AND (
            f.client_id IN (SELECT c.client_id FROM client AS c)
            OR f.email_hash IN (SELECT a.email_hash FROM address AS a)
        )
    RETURNING
        f.client_id,
        f.verdict
),

waiting AS (
    UPDATE contact_sync.verify_client AS c SET waits = TRUE
    FROM dropped AS d
    WHERE
        c.verification_id = %(verification_id)s
        AND c.client_id = d.client_id
        AND NOT d.verdict = any(%(verdicts)s)
)

SELECT
    count(*) FILTER (WHERE NOT verdict = any(%(verdicts)s)) AS of_clients,
    count(*) FILTER (WHERE verdict = any(%(verdicts)s)) AS of_contacts
FROM dropped;

-- give_up_races --
-- Too many to be looked up, and they may be races: nobody can tell. Parameters: as of candidates, verdicts, and
-- is_believed = the looks have shown what the export did
WITH asked AS (
    SELECT v.ordered_at FROM contact_sync.verification AS v
    WHERE v.verification_id = %(verification_id)s
),

dropped AS (
    DELETE FROM contact_sync.finding AS f
    USING asked AS q
    WHERE
        f.verification_id = %(verification_id)s
        AND f.looked_at IS NULL
        AND f.verdict = any(%(verdicts)s)
        AND f.verdict <> 'foreign_on_list'
        AND f.updated_at >= q.ordered_at - interval '5 minutes'
    RETURNING f.finding_no
),

unclear AS (
    UPDATE contact_sync.finding AS f SET verdict = 'not_comparable'
    FROM asked AS q
    WHERE
        f.verification_id = %(verification_id)s
        AND f.looked_at IS NULL
        AND NOT f.verdict = any(%(verdicts)s)
        AND (
            NOT %(is_believed)s
            OR f.updated_at >= q.ordered_at - interval '5 minutes'
            OR f.client_id = any(%(changed)s::bigint[])
        )
)

SELECT count(*) AS of_contacts FROM dropped;

-- The comparison of both sides of a verification (state/comparing.py).

-- note_differences --
-- Of clients that call for a contact; returns how many of those that differ wait for a run.
-- Parameters: names = SendGrid's fields in mapping order
WITH judged AS MATERIALIZED (
    SELECT
        p.client_id,
        p.email_hash,
        p.waits,
        p.updated_at,
        p.has_contact,
        p.on_list,
        p.has_contact AND p.called_for IS NULL AS has_moved,
        coalesce(d.fields, '{}') AS fields,
        coalesce(d.is_unclear, FALSE) AS is_unclear
    FROM contact_sync.verify_pair AS p
    LEFT JOIN LATERAL (
        SELECT
            array_agg(n.name ORDER BY n.place) AS fields,
            bool_and((p.unclear >> (n.place - 1)::int) & 1 = 1) AS is_unclear
        FROM unnest(%(names)s::text[]) WITH ORDINALITY AS n (name, place)
        WHERE
            p.has_contact
            AND (p.left_out >> (n.place - 1)::int) & 1 = 0
            AND substr(p.held, (n.place - 1)::int * 8 + 1, 8) <> substr(p.called_for, (n.place - 1)::int * 8 + 1, 8)
    ) AS d ON TRUE
    WHERE p.verification_id = %(verification_id)s
),

wrong AS (
    SELECT
        client_id,
        email_hash,
        waits,
        updated_at,
        fields,
        CASE WHEN has_contact THEN on_list END AS on_list,
        CASE
            WHEN NOT has_contact THEN 'missing'
            WHEN NOT on_list THEN 'off_list'
            WHEN is_unclear THEN 'not_comparable'
            ELSE 'different'
        END AS verdict
    FROM judged
    WHERE has_moved OR NOT (has_contact AND on_list AND fields = '{}')
),

noted AS (
    INSERT INTO contact_sync.finding (
        verification_id, finding_no, verdict, client_id, email_hash, fields, on_list, updated_at
    )
    SELECT
        %(verification_id)s,
        row_number() OVER (ORDER BY w.client_id),
        w.verdict,
        w.client_id,
        w.email_hash,
        w.fields,
        w.on_list,
        w.updated_at
    FROM wrong AS w
    WHERE NOT w.waits
)

SELECT count(*) AS waiting FROM wrong
WHERE waits;

-- digests --
-- Of those whom both sides have, or should have, in whatever order: sums of hashes. Who waits for a run is left out,
-- and so are the values of contacts some of whose fields may hold anything. A contact that is equal has the hash of
-- what is called for, in whatever form it is shown, and whether the export or a look at it told. After all looks.
WITH unequal AS MATERIALIZED (
    SELECT
        p.client_id,
        p.waits,
        f.client_id IS NOT NULL AS is_wrong,
        CASE WHEN p.on_list THEN p.held_hash ELSE ~p.held_hash END AS held_hash
    FROM contact_sync.verify_pair AS p
    LEFT JOIN contact_sync.finding AS f
        ON
            p.verification_id = f.verification_id
            AND p.client_id = f.client_id
            AND f.verdict IN ('missing', 'off_list', 'different', 'not_comparable')
    WHERE p.verification_id = %(verification_id)s
),

hashed AS (
    SELECT
        CASE WHEN c.left_out = 0 THEN c.row_hash ELSE c.email_hash END AS ours,
        CASE
            WHEN u.client_id IS NULL OR NOT u.is_wrong
                THEN CASE WHEN c.left_out = 0 THEN c.row_hash ELSE c.email_hash END
            ELSE u.held_hash
        END AS theirs
    FROM contact_sync.verify_client AS c
    LEFT JOIN unequal AS u ON c.client_id = u.client_id
    WHERE
        c.verification_id = %(verification_id)s
        AND c.calls_for = 'contact'
        AND NOT c.waits
        AND NOT coalesce(u.waits, FALSE)
)

SELECT
    md5(
        concat_ws(
            '-', count(ours), sum(ours), sum((ours & 4294967295) * ((ours >> 32) & 2147483647))
        )
    ) AS b2core_digest,
    md5(
        concat_ws(
            '-', count(theirs), sum(theirs), sum((theirs & 4294967295) * ((theirs >> 32) & 2147483647))
        )
    ) AS sendgrid_digest
FROM hashed;

-- note_strangers --
-- Contacts whose address no client has, or only clients that may have none; returns how many are only counted, by code.
-- Parameters: has_list; expects_run = the next run follows an earlier one; believes_absences = that one held back none;
-- address_changed, address_lost, gone, excluded = the definition's policies
WITH asked AS (
    SELECT least(v.started_at, min(r.started_at)) AS since
    FROM contact_sync.verification AS v
    LEFT JOIN contact_sync.run AS r ON v.sync_id = r.sync_id AND r.state = 'running' AND NOT r.dry_run
    WHERE v.verification_id = %(verification_id)s
    GROUP BY v.started_at
),

represented AS MATERIALIZED (
    SELECT c.email_hash
    FROM contact_sync.verify_client AS c
    WHERE c.verification_id = %(verification_id)s AND c.calls_for IN ('rejected', 'shared', 'moved')
),

stranger AS MATERIALIZED (
    SELECT
        a.email_hash,
        a.on_list,
        a.updated_at,
        a.email
    FROM contact_sync.verify_contact AS a
    WHERE
        a.verification_id = %(verification_id)s
        AND NOT a.is_called_for
        AND NOT EXISTS (
            SELECT 1 FROM represented AS r
            WHERE r.email_hash = a.email_hash
        )
),

kept_out AS (
    SELECT
        email_hash,
        min(client_id) AS client_id,
        bool_or(waits) AS waits,
        bool_or(calls_for = 'excluded') AS by_b2core
    FROM contact_sync.verify_client
    WHERE
        verification_id = %(verification_id)s
        AND calls_for IN ('excluded', 'removed_by_hand')
        AND email_hash <> 0
    GROUP BY email_hash
),

known AS (
    SELECT
        l.contact_hash AS email_hash,
        min(l.client_id) AS client_id,
        min(l.email) AS email,
        bool_or(
            coalesce(c.waits, %(expects_run)s AND %(believes_absences)s AND l.absent < %(enough)s)
        ) AS waits,
        bool_and(c.client_id IS NULL) AS is_gone
    FROM contact_sync.ledger AS l
    LEFT JOIN contact_sync.verify_client AS c
        ON c.verification_id = %(verification_id)s AND l.client_id = c.client_id
    WHERE l.sync_id = %(sync_id)s AND l.contact_hash IN (SELECT s.email_hash FROM stranger AS s)
    GROUP BY l.contact_hash
),

going AS (
    SELECT
        m.email_hash,
        min(m.client_id) AS client_id,
        min(m.email) FILTER (WHERE NOT m.kept) AS email,
        min(m.why) AS why,
        bool_and(m.kept) AS is_kept,
        max(m.noted_at) AS noted_at
    FROM contact_sync.removal AS m
    WHERE
        m.sync_id = %(sync_id)s
        AND m.why <> 'list_changed'
        AND m.email_hash IN (SELECT s.email_hash FROM stranger AS s)
    GROUP BY m.email_hash
),

sent AS (
    SELECT DISTINCT o.email_hash
    FROM contact_sync.staged_client AS o
    INNER JOIN contact_sync.run AS r ON o.run_id = r.run_id
    WHERE r.sync_id = %(sync_id)s AND r.state = 'running' AND NOT r.dry_run
),

told AS (
    SELECT
        s.email_hash,
        s.on_list,
        s.updated_at,
        coalesce(x.client_id, m.client_id, l.client_id) AS client_id,
        coalesce(s.email, m.email, l.email) AS email,
        s.on_list AND %(has_list)s AS is_listed,
        o.email_hash IS NOT NULL
        OR (x.email_hash IS NOT NULL AND x.waits)
        OR (m.email_hash IS NOT NULL AND m.noted_at >= q.since)
        OR (m.email_hash IS NULL AND x.email_hash IS NULL AND coalesce(l.waits, FALSE)) AS waits,
        coalesce(m.is_kept, FALSE) AS is_kept,
        CASE
            WHEN x.by_b2core THEN 'excluded'
            WHEN x.email_hash IS NOT NULL THEN 'removed_by_hand'
            WHEN m.email_hash IS NOT NULL THEN m.why
            WHEN l.is_gone THEN 'gone'
            WHEN l.email_hash IS NOT NULL THEN 'address_changed'
            ELSE 'foreign'
        END AS why
    FROM stranger AS s
    CROSS JOIN asked AS q
    LEFT JOIN kept_out AS x ON s.email_hash = x.email_hash
    LEFT JOIN going AS m ON s.email_hash = m.email_hash
    LEFT JOIN known AS l ON s.email_hash = l.email_hash
    LEFT JOIN sent AS o ON s.email_hash = o.email_hash
),

judged AS MATERIALIZED (
    SELECT
        t.*,
        CASE
            WHEN t.why = 'foreign' AND NOT t.is_listed THEN 'foreign'
            -- The ledger knew it when the export was read: a run has removed it since.
            WHEN t.why = 'foreign' AND t.email IS NULL THEN 'waiting'
            WHEN t.why = 'foreign' THEN 'foreign_on_list'
            WHEN t.waits THEN 'waiting'
            WHEN p.policy = 'keep' THEN 'kept'
            WHEN
                t.why IN ('excluded', 'removed_by_hand') AND (t.is_listed OR (p.policy = 'delete' AND t.on_list))
                THEN 'excluded_on_list'
            WHEN t.is_listed AND t.why = 'gone' THEN 'deleted_on_list'
            WHEN t.is_listed THEN 'former_on_list'
            WHEN p.policy = 'delete' AND NOT t.is_kept THEN 'ghost'
            ELSE 'kept'
        END AS verdict
    FROM told AS t
    CROSS JOIN LATERAL (
        SELECT CASE t.why
            WHEN 'excluded' THEN %(excluded)s
            WHEN 'gone' THEN %(gone)s
            WHEN 'address_changed' THEN %(address_changed)s
            WHEN 'address_lost' THEN %(address_lost)s
            ELSE 'unlist'
        END AS policy
    ) AS p
),

noted AS (
    INSERT INTO contact_sync.finding (
        verification_id, finding_no, verdict, client_id, email, email_hash, on_list, updated_at
    )
    SELECT
        %(verification_id)s,
        %(after)s + row_number() OVER (ORDER BY j.email_hash),
        j.verdict,
        j.client_id,
        j.email,
        j.email_hash,
        j.on_list,
        j.updated_at
    FROM judged AS j
    WHERE j.verdict NOT IN ('foreign', 'waiting', 'kept')
)

SELECT
    verdict,
    count(*) AS n
FROM judged
WHERE verdict IN ('foreign', 'waiting', 'kept')
GROUP BY verdict;

-- compared --
UPDATE contact_sync.verification SET
    compared_at = now(),
    counts = coalesce(counts, '{}') || %(counts)s
WHERE verification_id = %(verification_id)s;

-- save_digests --
UPDATE contact_sync.verification SET
    b2core_digest = %(b2core_digest)s,
    sendgrid_digest = %(sendgrid_digest)s
WHERE verification_id = %(verification_id)s;

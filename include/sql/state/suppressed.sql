-- What SendGrid says who gets no mail from it (state/suppressed.py).

-- place --
-- From where a kind is read: since an epoch second, or everything. Index: suppression_reading primary key
SELECT
    now() AS began,
    floor(
        extract(EPOCH FROM least(r.read_to, now()) - make_interval(mins => %(overlap_minutes)s))
    )::bigint AS since,
    coalesce(
        r.whole_at > now() OR r.whole_at < now() - make_interval(hours => %(whole_every_hours)s), TRUE
    ) AS is_whole
FROM (VALUES (%(sync_id)s::smallint, %(kind)s::text)) AS asked (sync_id, kind)
LEFT JOIN contact_sync.suppression_reading AS r ON asked.sync_id = r.sync_id AND asked.kind = r.kind;

-- note --
-- Add what was read, and let what was lifted be in force again; what is known stays untouched, unless everything is
-- read (is_whole). Index: suppression primary key
WITH sent AS (
    SELECT DISTINCT ON (u.email, u.group_id)
        u.email,
        u.group_id,
        u.email_hash,
        u.since
    FROM
        unnest(%(emails)s::text[], %(group_ids)s::integer[], %(email_hashes)s::bigint[], %(since)s::bigint[])
            AS u (email, group_id, email_hash, since)
    ORDER BY u.email ASC, u.group_id ASC, u.since DESC
)

INSERT INTO contact_sync.suppression AS s (sync_id, email, kind, group_id, email_hash, since, first_seen, seen_at)
SELECT
    %(sync_id)s::smallint AS sync_id,
    email,
    %(kind)s::text AS kind,
    group_id,
    email_hash,
    to_timestamp(since) AS since,
    now() AS first_seen,
    now() AS seen_at
FROM sent
ON CONFLICT (sync_id, email, kind, group_id) DO UPDATE SET
    since = excluded.since,
    seen_at = excluded.seen_at,
    first_seen = CASE WHEN s.gone_at IS NULL THEN s.first_seen ELSE excluded.first_seen END,
    missed = FALSE,
    gone_at = NULL
WHERE %(is_whole)s::boolean OR s.missed OR s.gone_at IS NOT NULL OR s.since IS DISTINCT FROM excluded.since;

-- note_missed --
-- After everything was read: what it didn't show is missed, and lifted if it was missed before. Parameter began: when
-- the reading began. Returns how many are missed for the first time. Index: suppression_in_force
WITH unseen AS (
    UPDATE contact_sync.suppression SET
        gone_at = CASE WHEN missed THEN now() END,
        missed = TRUE
    WHERE sync_id = %(sync_id)s AND kind = %(kind)s AND gone_at IS NULL AND seen_at < %(began)s
    RETURNING gone_at
)

SELECT count(*) AS n FROM unseen
WHERE gone_at IS NULL;

-- end_reading --
-- Index: suppression_reading primary key
INSERT INTO contact_sync.suppression_reading AS r (sync_id, kind, read_to, whole_at)
SELECT
    %(sync_id)s::smallint AS sync_id,
    %(kind)s::text AS kind,
    %(began)s::timestamptz AS read_to,
    CASE WHEN %(is_whole)s::boolean AND NOT %(again)s::boolean THEN %(began)s::timestamptz END AS whole_at
ON CONFLICT (sync_id, kind) DO UPDATE SET
    read_to = excluded.read_to,
    whole_at = CASE WHEN %(is_whole)s::boolean THEN excluded.whole_at ELSE r.whole_at END;

-- news --
-- How many of each kind have come, or gone, since the run began. Index: suppression_news and suppression_lifted
SELECT
    s.kind,
    count(*) FILTER (WHERE s.first_seen >= r.started_at AND s.gone_at IS NULL) AS come,
    count(*) FILTER (WHERE s.gone_at >= r.started_at) AS lifted
FROM contact_sync.run AS r
INNER JOIN contact_sync.suppression AS s
    ON r.sync_id = s.sync_id AND (s.first_seen >= r.started_at OR s.gone_at >= r.started_at)
WHERE r.run_id = %(run_id)s
GROUP BY s.kind
ORDER BY s.kind;

-- hashes_in_force --
-- Index: suppression_in_force
SELECT coalesce(array_agg(DISTINCT email_hash), '{}') AS addresses
FROM contact_sync.suppression
WHERE sync_id = %(sync_id)s AND kind = %(kind)s AND gone_at IS NULL;

-- count_others --
-- Index: suppression_in_force, ledger_address
WITH listed AS (
    SELECT DISTINCT
        kind,
        email_hash
    FROM contact_sync.suppression
    WHERE sync_id = %(sync_id)s AND kind = any(%(kinds)s::text[]) AND gone_at IS NULL
)

SELECT
    s.kind,
    count(*) AS n
FROM listed AS s
INNER JOIN contact_sync.ledger AS l ON l.sync_id = %(sync_id)s AND s.email_hash = l.email_hash
WHERE l.absent = 0 AND l.state <> 'excluded' AND l.client_id <> all(%(but)s::bigint[])
GROUP BY s.kind;

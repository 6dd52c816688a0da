-- state/for_people/suppressed.py; only reads.

-- count_suppressed --
-- Those in force, by kind and group. Index: suppression_in_force
SELECT
    kind,
    count(*) AS n
FROM contact_sync.suppression
WHERE sync_id = %(sync_id)s AND gone_at IS NULL
GROUP BY kind
ORDER BY n DESC, kind ASC;

-- suppressed --
-- Those that come after `after`, `after_kind` and `after_group`; after: null = from the first. kind: null = any.
-- with_lifted: also those that were lifted. Index: suppression primary key
SELECT
    email,
    kind,
    group_id,
    since,
    first_seen,
    gone_at
FROM contact_sync.suppression
WHERE
    sync_id = %(sync_id)s
    AND (
        %(after)s::text IS NULL
        OR (email, kind, group_id) > (%(after)s::text, %(after_kind)s::text, %(after_group)s::integer)
    )
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (%(with_lifted)s::boolean OR gone_at IS NULL)
ORDER BY email, kind, group_id
LIMIT %(at_most)s;

-- last_read --
-- Up to when all kinds have been read; null = not all of them yet. Index: suppression_reading primary key
SELECT CASE WHEN count(*) = %(kinds)s THEN min(read_to) END AS read_to
FROM contact_sync.suppression_reading
WHERE sync_id = %(sync_id)s;

-- newest --
-- Those in force, the ones that were read last first; kind: null = any. Index: suppression_news
SELECT
    email,
    kind,
    group_id,
    since,
    first_seen,
    gone_at
FROM contact_sync.suppression
WHERE sync_id = %(sync_id)s AND gone_at IS NULL AND (%(kind)s::text IS NULL OR kind = %(kind)s)
ORDER BY first_seen DESC, email ASC, kind ASC
LIMIT %(at_most)s;

-- suppressions_of_address --
-- Those in force, of these kinds; since when, as SendGrid says, else since a run read it. Index: suppression_in_force
SELECT
    kind,
    min(coalesce(since, first_seen)) AS since
FROM contact_sync.suppression
WHERE sync_id = %(sync_id)s AND kind = any(%(kinds)s) AND email_hash = %(email_hash)s AND gone_at IS NULL
GROUP BY kind;

-- state/for_people/planned_removals.py; only reads.

-- samples --
-- Contacts that a run would remove, at_most for each reason: those noted for removal, and those of clients that its
-- plan names as absent, moved or excluded.
-- Parameters: reasons = all; kinds of changes and the whys of their removal, lists of equal length
-- Index: removal_noted; change, ledger and client_key primary keys
WITH planned AS (
    SELECT
        m.sync_id,
        m.client_id,
        m.email,
        m.why,
        m.list_id
    FROM contact_sync.run AS r
    CROSS JOIN unnest(%(reasons)s::text[]) AS w (why)
    CROSS JOIN
        LATERAL (
            SELECT n.* FROM contact_sync.removal AS n
            WHERE n.sync_id = r.sync_id AND n.why = w.why AND NOT n.kept
            ORDER BY n.list_id, n.email
            LIMIT %(at_most)s
        ) AS m
    WHERE r.run_id = %(run_id)s
    UNION ALL
    SELECT
        c.sync_id,
        c.client_id,
        c.email,
        k.why,
        '' AS list_id
    FROM unnest(%(kinds)s::text[], %(whys)s::text[]) AS k (kind, why)
    CROSS JOIN
        LATERAL (
            SELECT
                n.sync_id,
                n.client_id,
                l.email
            FROM contact_sync.change AS n
            INNER JOIN contact_sync.ledger AS l ON n.sync_id = l.sync_id AND n.client_id = l.client_id
            WHERE n.run_id = %(run_id)s AND n.kind = k.kind AND l.email IS NOT NULL
            ORDER BY n.client_id
            LIMIT %(at_most)s
        ) AS c
)

SELECT DISTINCT ON (p.why, p.client_id, p.email)
    p.client_id,
    k.client_key,
    p.email,
    p.why,
    p.list_id
FROM planned AS p
LEFT JOIN contact_sync.client_key AS k ON p.sync_id = k.sync_id AND p.client_id = k.client_id
ORDER BY p.why, p.client_id, p.email;

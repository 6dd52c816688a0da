"""The statement that all peers read by: one row for each address, and when it changed last."""

from __future__ import annotations

from benchmarks.target import extraction_query

NEVER = "1970-01-01T00:00:00+00:00"


def peers_query() -> str:
    """clients.sql, of each address its newest client, with `updated_at` over the tables that
    contribute: the column that peers compare with a watermark."""
    return f"""
SELECT DISTINCT ON (lower(btrim(q.email))) q.*, u.updated_at
FROM ({extraction_query().rstrip().rstrip(";")}) AS q
INNER JOIN b2core.clients AS k ON k.id = q.client_id
CROSS JOIN LATERAL (
    SELECT greatest(
        k.updated_at,
        (SELECT max(p.updated_at) FROM b2core.client_phones AS p WHERE p.client_id = k.id),
        (SELECT max(a.updated_at) FROM b2core.client_addresses AS a WHERE a.client_id = k.id)
    ) AS updated_at
) AS u
ORDER BY lower(btrim(q.email)), q.client_id DESC"""

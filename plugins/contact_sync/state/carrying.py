"""Staged clients whose address has changed, and what is known of the former one."""

from __future__ import annotations

from contact_sync.state.database import Cursor, many, statement


def moved_clients(cursor: Cursor, sync_id: int, run_id: int) -> dict[int, str]:
    """Client id → address of its present contact, for staged clients that get another one."""
    rows = many(cursor, statement("moved_clients"), {"sync_id": sync_id, "run_id": run_id})
    return {row["client_id"]: row["former"] for row in rows}


def mark(cursor: Cursor, run_id: int, client_ids: list[int]) -> None:
    """The new addresses of these clients have to be suppressed before they are uploaded."""
    cursor.execute(
        "UPDATE contact_sync.outbox SET suppress = client_id = ANY(%s) WHERE run_id = %s"
        " AND (suppress OR client_id = ANY(%s))",
        (client_ids, run_id, client_ids),
    )


def hold(cursor: Cursor, sync_id: int, run_id: int, client_ids: list[int]) -> None:
    """Take clients out of the outbox; they are pending and looked at again by the next run.

    Nobody is taken out of a batch that has left.
    """
    cursor.execute(
        """WITH held AS (
               DELETE FROM contact_sync.outbox AS o
               WHERE o.run_id = %(run_id)s AND o.client_id = ANY(%(client_ids)s)
                   AND NOT EXISTS (
                       SELECT 1 FROM contact_sync.batch_contact AS c
                       JOIN contact_sync.batch AS b USING (batch_id)
                       WHERE b.run_id = o.run_id AND c.client_id = o.client_id
                           AND b.state IN ('submitting', 'uploading', 'submitted')
                   )
               RETURNING o.client_id
           )
           UPDATE contact_sync.ledger AS l
           SET state = 'pending', reason = 'suppression_unknown', field = NULL, row_hash = NULL,
               updated_at = now()
           FROM held WHERE l.sync_id = %(sync_id)s AND l.client_id = held.client_id""",
        {"sync_id": sync_id, "run_id": run_id, "client_ids": client_ids},
    )

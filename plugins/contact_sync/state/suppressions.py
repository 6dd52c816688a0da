"""Staged clients whose address has changed, and what is known of the former one."""

from __future__ import annotations

from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state.database import statement


def moved_clients(cursor: Cursor, sync_id: int, run_id: int) -> dict[int, str]:
    """Client id → its former address, for staged clients that get another one.

    A client that shared its address with another one has no contact of its own: its former address
    is then that of the other client's contact.
    """
    rows = many(cursor, statement("moved_clients"), {"sync_id": sync_id, "run_id": run_id})
    shared = [row["email_hash"] for row in rows if row["email"] is None]
    others = _addresses(cursor, sync_id, shared) if shared else {}
    former = {row["client_id"]: row["email"] or others.get(row["email_hash"]) for row in rows}
    return {client: email for client, email in former.items() if email is not None}


def _addresses(cursor: Cursor, sync_id: int, hashes: list[int]) -> dict[int, str]:
    """Hash → address of a contact; one scan of the ledger."""
    rows = many(
        cursor,
        """SELECT contact_hash, min(email) AS email FROM contact_sync.ledger
           WHERE sync_id = %s AND contact_hash = ANY(%s) GROUP BY contact_hash""",
        (sync_id, hashes),
    )
    return {row["contact_hash"]: row["email"] for row in rows}


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

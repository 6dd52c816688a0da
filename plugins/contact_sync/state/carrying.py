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
    """Take clients out of the outbox; they are pending and looked at again by the next run."""
    cursor.execute(
        "DELETE FROM contact_sync.outbox WHERE run_id = %s AND client_id = ANY(%s)",
        (run_id, client_ids),
    )
    cursor.execute(
        """UPDATE contact_sync.ledger
           SET state = 'pending', reason = 'suppression_unknown', field = NULL, row_hash = NULL,
               updated_at = now()
           WHERE sync_id = %s AND client_id = ANY(%s)""",
        (sync_id, client_ids),
    )

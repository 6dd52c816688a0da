"""Apply the outcome of a batch to the ledger; each function is one step of one transaction."""

from __future__ import annotations

import pandas as pd

from contact_sync.state.copying import copy_frame
from contact_sync.state.database import Cursor, one, statement


def confirm(cursor: Cursor, batch_id: int, refused: dict[str, str]) -> tuple[int, int]:
    """Confirm the batch's contacts except the refused ones (address → reason), and forget the
    payloads. Returns the numbers of confirmed and rejected clients."""
    _load_refused(cursor, refused)
    parameters = {"batch_id": batch_id}
    cursor.execute(statement("note_former_addresses"), parameters)
    cursor.execute(statement("release_taken_addresses"), parameters)
    cursor.execute(statement("confirm_batch"), parameters)
    confirmed = cursor.rowcount
    cursor.execute(statement("refuse_in_batch"), parameters)
    rejected = cursor.rowcount
    cursor.execute(statement("clear_batch"), parameters)
    return confirmed, rejected


def refuse(cursor: Cursor, batch_id: int, refused: dict[str, str]) -> None:
    """Reject some contacts of a batch that hasn't been accepted, and take them out of it."""
    _load_refused(cursor, refused)
    cursor.execute(statement("refuse_in_batch"), {"batch_id": batch_id})
    cursor.execute(
        """DELETE FROM contact_sync.outbox AS o USING contact_sync.batch AS b, pg_temp.refused AS r
           WHERE b.batch_id = %s AND o.run_id = b.run_id AND o.email = r.email""",
        (batch_id,),
    )


def postpone(cursor: Cursor, batch_id: int, reason: str) -> int:
    """Make all clients of the batch pending; returns how many."""
    cursor.execute(statement("note_possible_addresses"), {"batch_id": batch_id})
    cursor.execute(statement("postpone_batch"), {"batch_id": batch_id, "reason": reason})
    postponed = cursor.rowcount
    cursor.execute(statement("clear_batch"), {"batch_id": batch_id})
    return postponed


def clear(cursor: Cursor, batch_id: int) -> None:
    """Forget the payloads of a batch that never left."""
    cursor.execute(statement("clear_batch"), {"batch_id": batch_id})


def only_address(cursor: Cursor, batch_id: int) -> str:
    """The address of a batch of one contact."""
    row = one(
        cursor,
        "SELECT email FROM contact_sync.batch_contact WHERE batch_id = %s",
        (batch_id,),
    )
    return str(row["email"])


def _load_refused(cursor: Cursor, refused: dict[str, str]) -> None:
    cursor.execute(
        """CREATE TEMPORARY TABLE refused (email text, field text, reason text) ON COMMIT DROP"""
    )
    if refused:
        frame = pd.DataFrame(
            {"email": refused.keys(), "field": "contact", "reason": refused.values()}
        )
        copy_frame(cursor, "pg_temp.refused", frame)

"""Former addresses of clients, whose contacts are removed when nobody has them any more."""

from __future__ import annotations

from contact_sync.models import Lane
from contact_sync.state.batches import create_batch
from contact_sync.state.database import Cursor, many, statement

PER_BATCH = 100  # search/emails and DELETE contacts take at most 100


def create_batches(cursor: Cursor, run_id: int, sync_id: int) -> None:
    """Forget addresses that some client's contact has again; batch those that nobody has."""
    cursor.execute(
        """DELETE FROM contact_sync.removal AS a USING contact_sync.ledger AS l
           WHERE a.sync_id = %s AND l.sync_id = a.sync_id AND l.contact_hash = a.email_hash
               AND l.state = 'confirmed'""",
        (sync_id,),
    )
    rows = many(cursor, statement("removable_addresses"), {"sync_id": sync_id})
    emails = [row["email"] for row in rows]
    for start in range(0, len(emails), PER_BATCH):
        part = emails[start : start + PER_BATCH]
        batch_id = create_batch(cursor, run_id, sync_id, Lane.DELETE, len(part))
        cursor.execute(
            """UPDATE contact_sync.removal SET batch_id = %s
               WHERE sync_id = %s AND email = ANY(%s)""",
            (batch_id, sync_id, part),
        )


def keep_all(cursor: Cursor, sync_id: int) -> int:
    """Never remove the contacts noted so far (policy `keep`); returns how many are new.

    The notes stay, so that a client who takes such an address inherits no value of its former
    owner.
    """
    cursor.execute(
        """UPDATE contact_sync.removal SET kept = TRUE
           WHERE sync_id = %s AND NOT kept""",
        (sync_id,),
    )
    return cursor.rowcount


def of_batch(cursor: Cursor, batch_id: int) -> list[str]:
    """The addresses of a delete batch."""
    rows = many(
        cursor,
        "SELECT email FROM contact_sync.removal WHERE batch_id = %s ORDER BY email",
        (batch_id,),
    )
    return [row["email"] for row in rows]


def deleted(cursor: Cursor, batch_id: int) -> None:
    """The contacts of the batch don't exist any more."""
    cursor.execute("DELETE FROM contact_sync.removal WHERE batch_id = %s", (batch_id,))


def unlisted(cursor: Cursor, batch_id: int) -> None:
    """The contacts of the batch are off the list; they still exist and are no client's any more."""
    cursor.execute(
        "UPDATE contact_sync.removal SET batch_id = NULL, kept = TRUE WHERE batch_id = %s",
        (batch_id,),
    )


def postponed(cursor: Cursor, batch_id: int) -> None:
    """The removal didn't happen, or nobody knows: the next run tries again."""
    cursor.execute(
        "UPDATE contact_sync.removal SET batch_id = NULL WHERE batch_id = %s", (batch_id,)
    )

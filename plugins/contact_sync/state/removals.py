"""Contacts to be removed: of former addresses, of excluded or deleted clients; off a list."""

from __future__ import annotations

from typing import Any, LiteralString

from contact_sync.base.vocabulary import Lane
from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state.batches import Batch, create_batch
from contact_sync.state.database import statement

PER_BATCH = 100  # search/emails, DELETE contacts and DELETE lists/{id}/contacts take at most 100
MAX_BATCHES = 300  # mapped tasks of one run; the rest waits for the next run


def removable(cursor: Cursor, run: tuple[int, int], whys: tuple[str, ...]) -> list[dict[str, Any]]:
    """email, list_id, why and others of the contacts that may go; `run` = (sync_id, run_id).

    `others` = the lists of other syncs that hold the contact, "" = of a sync without a list.
    Most runs have none; what follows would read the whole ledger to find that out.
    """
    cursor.execute("SELECT 1 FROM contact_sync.removal WHERE sync_id = %s LIMIT 1", (run[0],))
    if cursor.fetchone() is None:
        return []
    _forget_taken(cursor, run[0])
    return noted(cursor, run, whys)


def noted(cursor: Cursor, run: tuple[int, int], whys: tuple[str, ...]) -> list[dict[str, Any]]:
    """The same, only by reading: a few that a client has again may be among them."""
    parameters = {"sync_id": run[0], "run_id": run[1], "whys": list(whys)}
    return many(cursor, statement("removable_addresses"), parameters)


def _forget_taken(cursor: Cursor, sync_id: int) -> None:
    """Addresses that a client's confirmed contact has (again) need no removal."""
    cursor.execute(
        """DELETE FROM contact_sync.removal AS a USING contact_sync.ledger AS l
           WHERE a.sync_id = %s AND l.sync_id = a.sync_id AND l.contact_hash = a.email_hash
               AND l.state = 'confirmed' AND a.why <> 'list_changed'""",
        (sync_id,),
    )


def create_batches(
    cursor: Cursor, run: tuple[int, int], lane: Lane, list_id: str | None, emails: list[str]
) -> None:
    """Batch contacts to be deleted, or taken off a list."""
    sync_id, run_id = run
    for start in range(0, len(emails), PER_BATCH):
        part = emails[start : start + PER_BATCH]
        batch_id = create_batch(cursor, run_id, sync_id, lane, len(part))
        cursor.execute(
            "UPDATE contact_sync.batch SET list_id = %s WHERE batch_id = %s", (list_id, batch_id)
        )
        cursor.execute(
            """UPDATE contact_sync.removal SET batch_id = %s
               WHERE sync_id = %s AND email = ANY(%s)
                   AND coalesce(list_id = %s, FALSE) = (why = 'list_changed')""",
            (batch_id, sync_id, part, list_id),
        )


def retire_absent(cursor: Cursor, sync_id: int, enough: int) -> int:
    """End the ledger rows of clients that are gone; returns how many contacts are to go."""
    cursor.execute(statement("retire_absent"), {"sync_id": sync_id, "enough": enough})
    return cursor.rowcount


def former_lists(cursor: Cursor, run: tuple[int, int]) -> set[str]:
    """The lists on which clients may be from before this run; `run` = (sync_id, run_id)."""
    parameters = {"sync_id": run[0], "run_id": run[1]}
    return {row["list_id"] for row in many(cursor, statement("former_lists"), parameters)}


def stay_on_list(cursor: Cursor, sync_id: int, list_id: str) -> None:
    """Nobody is taken off this list any more for not being the sync's: it is the sync's again."""
    cursor.execute(
        """DELETE FROM contact_sync.removal
           WHERE sync_id = %s AND why = 'list_changed' AND list_id = %s""",
        (sync_id, list_id),
    )


def leave_list(cursor: Cursor, sync_id: int, list_id: str) -> int:
    """Note every contact for removal from a former list; returns how many are new."""
    cursor.execute(statement("note_listed_addresses"), {"sync_id": sync_id, "list_id": list_id})
    return cursor.rowcount


def keep(cursor: Cursor, sync_id: int, whys: tuple[str, ...]) -> int:
    """Never remove the contacts noted so far (policy `keep`); returns how many are new."""
    return _keep(cursor, "sync_id = %s AND why = ANY(%s)", (sync_id, list(whys)))


def of_batch(cursor: Cursor, batch_id: int) -> dict[str, float]:
    """The addresses of a removal batch, and for how many seconds each is known to be removed."""
    rows = many(
        cursor,
        """SELECT email, extract(epoch FROM now() - noted_at)::float AS seconds
           FROM contact_sync.removal WHERE batch_id = %s""",
        (batch_id,),
    )
    return {row["email"]: row["seconds"] for row in rows}


def set_apart(cursor: Cursor, batch: Batch, emails: list[str], outcome: str, *, done: bool) -> None:
    """Move addresses for which nothing can be sent from a batch to a settled one of their own.

    `done`: nothing has to be removed any more; otherwise the next run tries again.
    """
    still = many(
        cursor,
        """SELECT email FROM contact_sync.removal
           WHERE batch_id = %s AND email = ANY(%s) FOR UPDATE""",
        (batch.batch_id, emails),
    )
    if not still:
        return
    apart = create_batch(cursor, batch.run_id, batch.sync_id, batch.lane, len(still))
    cursor.execute(
        """UPDATE contact_sync.batch
           SET state = 'settled', settled_at = now(), outcome = %s, list_id = %s
           WHERE batch_id = %s""",
        (outcome, batch.list_id, apart),
    )
    cursor.execute(
        "UPDATE contact_sync.batch SET contacts = contacts - %s WHERE batch_id = %s",
        (len(still), batch.batch_id),
    )
    cursor.execute(
        "UPDATE contact_sync.removal SET batch_id = %s WHERE batch_id = %s AND email = ANY(%s)",
        (apart, batch.batch_id, emails),
    )
    if done:
        removed(cursor, batch.lane, apart)


def removed(cursor: Cursor, lane: Lane, batch_id: int) -> None:
    """The contacts of the batch are where its lane brings them."""
    (deleted if lane is Lane.DELETE else unlisted)(cursor, batch_id)


def deleted(cursor: Cursor, batch_id: int) -> None:
    """The contacts of the batch don't exist any more."""
    _release(cursor, batch_id)
    cursor.execute("DELETE FROM contact_sync.removal WHERE batch_id = %s", (batch_id,))


def unlisted(cursor: Cursor, batch_id: int) -> None:
    """The contacts of the batch are off the list; they still exist and are no client's any more."""
    cursor.execute(
        "DELETE FROM contact_sync.removal WHERE batch_id = %s AND why = 'list_changed'",
        (batch_id,),
    )
    _release(cursor, batch_id)
    _keep(cursor, "batch_id = %s", (batch_id,))


def postponed(cursor: Cursor, batch_id: int) -> None:
    """The removal didn't happen, or nobody knows: the next run tries again."""
    cursor.execute(
        "UPDATE contact_sync.removal SET batch_id = NULL WHERE batch_id = %s", (batch_id,)
    )


def _release(cursor: Cursor, batch_id: int) -> None:
    """The contacts of the batch are no client's any more: excluded clients lose theirs."""
    cursor.execute(
        """UPDATE contact_sync.ledger AS l
           SET email = NULL, contact_hash = NULL, row_hash = NULL, filled = 0, stale = 0
           FROM contact_sync.removal AS a
           WHERE a.batch_id = %s AND l.sync_id = a.sync_id AND l.client_id = a.client_id
               AND l.contact_hash = a.email_hash""",
        (batch_id,),
    )


def _keep(cursor: Cursor, which: LiteralString, parameters: tuple[Any, ...]) -> int:
    """Keep the hash of an address, so that whoever takes it inherits no value of its former owner;
    forget the address itself: nothing needs it any more."""
    cursor.execute(
        f"""WITH done AS (
                DELETE FROM contact_sync.removal WHERE {which} AND NOT kept
                RETURNING sync_id, email_hash, client_id, why
            )
            INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id, why, kept)
            SELECT DISTINCT ON (sync_id, email_hash)
                sync_id, '#' || email_hash, email_hash, client_id, why, TRUE
            FROM done
            ON CONFLICT (sync_id, email, list_id) DO NOTHING""",  # noqa: S608 literals only
        parameters,
    )
    return cursor.rowcount

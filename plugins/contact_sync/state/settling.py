"""Apply the outcome of a batch to the ledger; each function is one step of one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from contact_sync.base.vocabulary import PendingReason, Refusal
from contact_sync.contacts.refused_values import LeftOut
from contact_sync.postgres.cursor import Cursor, one
from contact_sync.state import outbox_blocks, statements

SQL = statements.load("settling")
ENOUGH_TRIES = 5
"""So often a contact may turn out otherwise than sent although SendGrid looked at it; a search that
lags costs one or two."""


def postpone(cursor: Cursor, batch_id: int, reason: PendingReason, *, keep: bool = False) -> int:
    """Make all clients of the batch pending; returns how many.

    `keep` leaves the payloads for the batches that are split from this one.
    """
    postponed = _postpone(cursor, batch_id, reason, None)
    if not keep:
        clear(cursor, batch_id)
    return postponed


def postpone_not_applied(
    cursor: Cursor,
    batch_id: int,
    emails: Collection[str],
    reason: PendingReason = PendingReason.NOT_APPLIED,
    *,
    looked_at: bool,
) -> tuple[int, int]:
    """Make the clients whose contacts aren't as sent pending, and take them out of the batch.

    `looked_at`: SendGrid looked at these very contacts; when it has done so with the same content
    ENOUGH_TRIES times in a row, they are rejected. Returns how many are pending and rejected.
    """
    if not emails:
        return 0, 0
    postponed = _postpone(cursor, batch_id, reason, list(emails))
    rejected = _count_look(cursor, batch_id, list(emails)) if looked_at else 0
    take_out(cursor, batch_id, list(emails))
    return postponed - rejected, rejected


def postpone_stuck(cursor: Cursor, batch_id: int, reason: PendingReason) -> int:
    """Make the client of a batch of one contact pending, whose job never ended; returns 1 if it is
    rejected instead, because that was so ENOUGH_TRIES times since it is sent by itself."""
    outbox_blocks.unpack_batch(cursor, batch_id)
    emails = [only_address(cursor, batch_id)]
    _postpone(cursor, batch_id, reason, emails)
    rejected = _count_look(cursor, batch_id, emails, least=ENOUGH_TRIES + 1)
    take_out(cursor, batch_id, emails)
    return rejected


def _count_look(cursor: Cursor, batch_id: int, emails: list[str], least: int = 0) -> int:
    """Count a look at these contacts, of clients that were sent in vain at least so often; returns
    how many are rejected for it."""
    parameters = {"batch_id": batch_id, "emails": emails}
    cursor.execute(SQL["count_look"], parameters | {"least": least})
    more = {"enough": ENOUGH_TRIES, "reason": Refusal.NEVER_APPLIED}
    cursor.execute(SQL["reject_not_applied"], parameters | more)
    return cursor.rowcount


def _postpone(
    cursor: Cursor, batch_id: int, reason: PendingReason, emails: list[str] | None
) -> int:
    parameters = {"batch_id": batch_id, "reason": reason, "emails": emails}
    outbox_blocks.unpack_batch(cursor, batch_id)
    cursor.execute(SQL["note_possible_addresses"], parameters)
    cursor.execute(SQL["postpone_batch"], parameters)
    return cursor.rowcount


def hold(cursor: Cursor, batch_id: int, client_ids: list[int] | None, reason: PendingReason) -> int:
    """Take clients, None = all, out of a batch of which nothing has left; they are pending, and
    their payloads are gone. Returns how many."""
    outbox_blocks.unpack_batch(cursor, batch_id)
    parameters = {"batch_id": batch_id, "client_ids": client_ids, "reason": reason}
    cursor.execute(SQL["hold_clients"], parameters)
    return cursor.rowcount


def leave_out(cursor: Cursor, batch_id: int, left_out: Sequence[LeftOut], texts: int) -> None:
    """Change contacts of a batch, so that they are sent without values that SendGrid refused.

    `texts`: the mask of the fields that can be cleared: what the contacts hold there is.
    """
    cursor.execute(
        SQL["leave_out"],
        {
            "batch_id": batch_id, "texts": texts,
            "clients": [one.client_id for one in left_out],
            "payloads": [one.payload for one in left_out],
            "row_hashes": [one.row_hash for one in left_out],
            "bits": [one.bits for one in left_out],
        },
    )  # fmt: skip


def take_out(cursor: Cursor, batch_id: int, emails: list[str]) -> None:
    cursor.execute(SQL["take_out"], {"batch_id": batch_id, "emails": emails})


def clear(cursor: Cursor, batch_id: int) -> None:
    """Forget the payloads of a batch that is over."""
    outbox_blocks.drop_of_batch(cursor, batch_id)
    cursor.execute(SQL["clear_batch"], {"batch_id": batch_id})


def only_address(cursor: Cursor, batch_id: int) -> str:
    """The address of a batch of one contact."""
    return str(one(cursor, SQL["only_address"], {"batch_id": batch_id})["email"])

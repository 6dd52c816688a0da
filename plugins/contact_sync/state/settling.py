"""Apply the outcome of a batch to the ledger; each function is one step of one transaction."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from contact_sync.base.vocabulary import PendingReason, Refusal, Refused
from contact_sync.contacts.refusals import SCHEMA, Refusals
from contact_sync.postgres.copying import copy_batches
from contact_sync.postgres.cursor import Cursor, analyze, one
from contact_sync.state import statements
from contact_sync.state.batch_contacts import batch_bounds

SQL = statements.load("settling")
ENOUGH_TRIES = 5
"""So often a contact may turn out otherwise than sent; a search that lags costs one or two."""


class Settled(NamedTuple):
    """Numbers of clients: known ones and new ones that are confirmed, and rejected ones."""

    known: int
    new: int
    rejected: int


def count_refused(cursor: Cursor, batch_id: int, refused: Refusals) -> int:
    """How many contacts of the batch are among the refused ones; once a transaction."""
    _load_refused(cursor, refused)
    return int(one(cursor, SQL["count_refused"], {"batch_id": batch_id})["n"])


def confirm(cursor: Cursor, batch_id: int, refused: Refusals) -> Settled:
    """Confirm the batch's contacts except the refused ones, and forget the payloads."""
    _load_refused(cursor, refused)
    parameters = {"batch_id": batch_id}
    bounds = batch_bounds(cursor, batch_id)
    cursor.execute(SQL["note_former_addresses"], bounds)
    cursor.execute(SQL["release_taken_addresses"], parameters)
    cursor.execute(SQL["confirm_batch"], bounds)
    known = cursor.rowcount
    cursor.execute(SQL["confirm_new"], bounds)
    new, rejected = cursor.rowcount, 0
    if len(refused):
        cursor.execute(SQL["refuse_in_batch"], parameters)
        rejected = cursor.rowcount
    cursor.execute(SQL["clear_batch"], parameters)
    return Settled(known, new, rejected)


def refuse(cursor: Cursor, batch_id: int, refused: dict[str, Refused]) -> None:
    """Reject some contacts of a batch, and take them out of it; once a transaction."""
    _load_refused(cursor, Refusals(refused.items()))
    cursor.execute(SQL["refuse_in_batch"], {"batch_id": batch_id})
    _take_out(cursor, batch_id, list(refused))


def postpone(cursor: Cursor, batch_id: int, reason: PendingReason, *, keep: bool = False) -> int:
    """Make all clients of the batch pending; returns how many.

    `keep` leaves the payloads for the batches that are split from this one.
    """
    postponed = _postpone(cursor, batch_id, reason, None)
    if not keep:
        clear(cursor, batch_id)
    return postponed


def postpone_not_applied(cursor: Cursor, batch_id: int, emails: Collection[str]) -> tuple[int, int]:
    """Make the clients whose contacts aren't as sent pending, and take them out of the batch.

    After ENOUGH_TRIES in a row they are rejected. Returns how many are pending and rejected.
    """
    if not emails:
        return 0, 0
    postponed = _postpone(cursor, batch_id, PendingReason.NOT_APPLIED, list(emails))
    cursor.execute(
        SQL["reject_not_applied"],
        {
            "batch_id": batch_id, "emails": list(emails), "enough": ENOUGH_TRIES,
            "reason": Refusal.NEVER_APPLIED,
        },
    )  # fmt: skip
    rejected = cursor.rowcount
    _take_out(cursor, batch_id, list(emails))
    return postponed - rejected, rejected


def _postpone(
    cursor: Cursor, batch_id: int, reason: PendingReason, emails: list[str] | None
) -> int:
    parameters = {"batch_id": batch_id, "reason": reason, "emails": emails}
    cursor.execute(SQL["note_possible_addresses"], parameters)
    cursor.execute(SQL["postpone_batch"], parameters)
    return cursor.rowcount


def hold(cursor: Cursor, batch_id: int, client_ids: list[int], reason: PendingReason) -> int:
    """Take clients out of a batch before it is sent; they are pending. Returns how many."""
    parameters = {"batch_id": batch_id, "client_ids": client_ids, "reason": reason}
    cursor.execute(SQL["hold_clients"], parameters)
    return cursor.rowcount


def _take_out(cursor: Cursor, batch_id: int, emails: list[str]) -> None:
    cursor.execute(SQL["take_out"], {"batch_id": batch_id, "emails": emails})


def clear(cursor: Cursor, batch_id: int) -> None:
    """Forget the payloads of a batch that is over."""
    cursor.execute(SQL["clear_batch"], {"batch_id": batch_id})


def only_address(cursor: Cursor, batch_id: int) -> str:
    """The address of a batch of one contact."""
    return str(one(cursor, SQL["only_address"], {"batch_id": batch_id})["email"])


def _load_refused(cursor: Cursor, refused: Refusals) -> None:
    cursor.execute(SQL["create_refused"])
    if len(refused):
        copy_batches(cursor, "pg_temp.refused", SCHEMA, refused.record_batches())
        analyze(cursor, "pg_temp.refused")

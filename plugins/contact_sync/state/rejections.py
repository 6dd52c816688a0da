"""Rejections that SendGrid is the cause of: looked up, and taken back if that disproves them."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from contact_sync.base.refusal_retries import MAX_RETRY_HOURS
from contact_sync.base.vocabulary import PendingReason, Refusal
from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state import statements
from contact_sync.state.settling import ENOUGH_TRIES

SQL = statements.load("rejections")
DOUBTFUL = (Refusal.NEVER_APPLIED, Refusal.IMPORT_FAILED)
"""Rejections that SendGrid didn't pronounce itself: they follow from what its jobs did."""
MAX_RETAKEN = 3
"""So often such a client is sent again while nothing changes in it; then its rejection stands."""


class Found(NamedTuple):
    """A rejected client's contact at SendGrid: its address and the hash of that, the hash of what
    B2CORE calls for, and masks of the fields that hold a value, and of those that can't be cleared
    and hold one that B2CORE doesn't have."""

    client_id: int
    email: str
    email_hash: int
    row_hash: int
    filled: int
    stale: int


def to_look_up(cursor: Cursor, sync_id: int, *, hours: float, at_most: int) -> dict[int, int]:
    """Client id → hash of what SendGrid refused, of clients whose rejection wasn't looked up yet,
    or not for so many hours."""
    parameters = {"sync_id": sync_id, "reasons": list(Refusal), "hours": hours, "at_most": at_most}
    return {
        row["client_id"]: row["row_hash"] for row in many(cursor, SQL["to_look_up"], parameters)
    }


def see(cursor: Cursor, sync_id: int, client_ids: Collection[int]) -> None:
    """These rejections were looked up."""
    cursor.execute(SQL["see"], {"sync_id": sync_id, "client_ids": list(client_ids)})


def confirm(cursor: Cursor, sync_id: int, found: Found) -> bool:
    """The contact is as B2CORE calls for; False = it is another client's by now."""
    parameters = found._asdict() | {"sync_id": sync_id}
    cursor.execute(SQL["confirm"], parameters)
    return cursor.rowcount > 0


def note_former(cursor: Cursor, sync_id: int, found: Found) -> None:
    """A client that is about to be confirmed has left another contact behind."""
    cursor.execute(SQL["note_former"], found._asdict() | {"sync_id": sync_id})


def try_again(cursor: Cursor, sync_id: int, found: Found) -> bool:
    """The contact holds other values: its client is pending; False = SendGrid said itself that it
    refuses it, or it was often enough."""
    more = {"reasons": list(DOUBTFUL), "at_most": MAX_RETAKEN, "tries": ENOUGH_TRIES,
            "reason": PendingReason.NOT_APPLIED}  # fmt: skip
    cursor.execute(SQL["try_again"], found._asdict() | {"sync_id": sync_id} | more)
    return cursor.rowcount > 0


def retry(cursor: Cursor, sync_id: int, *, hours: float, at_most: int) -> int:
    """Make clients pending that SendGrid rejected: first after so many hours, then each time after
    twice as long, at the latest after MAX_RETRY_HOURS (base.refusal_retries); returns how many."""
    parameters = {
        "sync_id": sync_id, "reasons": list(Refusal), "hours": hours, "at_most": at_most,
        "max_hours": max(MAX_RETRY_HOURS, hours), "tries": ENOUGH_TRIES,
        "reason": PendingReason.TRIED_AGAIN,
    }  # fmt: skip
    cursor.execute(SQL["retry"], parameters)
    return cursor.rowcount

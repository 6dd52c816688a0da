"""What a verification has found becomes work for the next run: clients to send, contacts to remove.

Nothing is sent here. A repeated call changes nothing: a finding is marked once.
"""

from __future__ import annotations

from typing import LiteralString

from contact_sync.postgres.cursor import Cursor, one
from contact_sync.state import statements

SQL = statements.load("repairs")
TO_SEND = ("missing", "different", "off_list")
UNENTITLED = ("excluded_on_list", "deleted_on_list", "former_on_list", "ghost")
FOREIGN = ("foreign_on_list",)


def send_again(cursor: Cursor, sync_id: int, verification_id: int) -> int:
    """Have the next run send clients whose contact is missing, different or off the list; returns
    how many."""
    return _mark(cursor, SQL["send_again"], sync_id, verification_id, TO_SEND)


def note_unentitled(cursor: Cursor, sync_id: int, verification_id: int) -> int:
    """Have the next run remove contacts that have no right to be where they are; returns how many.

    Excluded and deleted clients' contacts, those of former addresses, and ghosts.
    """
    return _mark(cursor, SQL["note_unentitled"], sync_id, verification_id, UNENTITLED)


def count_foreign(cursor: Cursor, verification_id: int) -> int:
    """How many contacts on the sync's list it never had, without those that are noted."""
    return int(one(cursor, SQL["count_foreign"], {"verification_id": verification_id})["n"])


def note_foreign(cursor: Cursor, sync_id: int, verification_id: int) -> int:
    """Have the next run take these off the list; returns how many."""
    return _mark(cursor, SQL["note_foreign"], sync_id, verification_id, FOREIGN)


def _mark(
    cursor: Cursor,
    statement: LiteralString,
    sync_id: int,
    verification_id: int,
    verdicts: tuple[str, ...],
) -> int:
    parameters = {"sync_id": sync_id, "verification_id": verification_id}
    cursor.execute(statement, parameters)
    marked = cursor.rowcount
    cursor.execute(SQL["note_repaired"], parameters | {"verdicts": list(verdicts)})
    return marked

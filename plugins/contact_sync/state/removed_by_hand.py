"""Staged clients whose contact a person has removed at SendGrid."""

from __future__ import annotations

from typing import NamedTuple

from contact_sync.base.vocabulary import FOUND_ABSENT
from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state import statements

SQL = statements.load("removed_by_hand")


class Own(NamedTuple):
    """A staged client's contact: its address, how many seconds ago it was confirmed, and on which
    list; None = nobody knows any more."""

    client_id: int
    email: str
    seconds: float | None
    list_id: str | None


def own_contacts(cursor: Cursor, sync_id: int, run_id: int) -> list[Own]:
    """Staged clients with a confirmed contact at the same address, by id; not those whom a repair
    brings back."""
    parameters = {"sync_id": sync_id, "run_id": run_id, "brought_back": list(FOUND_ABSENT)}
    return [Own(**row) for row in many(cursor, SQL["own_contacts"], parameters)]


def exclude(cursor: Cursor, sync_id: int, run_id: int, client_ids: list[int]) -> None:
    """Take clients out of the outbox; they aren't sent before a run of mode resend."""
    parameters = {"sync_id": sync_id, "run_id": run_id, "client_ids": client_ids}
    cursor.execute(SQL["exclude"], parameters)

"""Addresses to be unsubscribed from everything at SendGrid, because B2CORE has excluded their
clients: kept until SendGrid shows it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from contact_sync.postgres.cursor import Cursor, one, rows_as
from contact_sync.state import statements

SQL = statements.load("suppressions_due")


@dataclass(frozen=True, slots=True)
class Due:
    """An address of a contact that had to go, its hash, and whose it was; `noted`: epoch second
    since when it is known."""

    email: str = field(repr=False)
    email_hash: int
    client_id: int
    noted: int


def note(cursor: Cursor, sync_id: int) -> int:
    """Note the contacts of clients that B2CORE has newly excluded; returns how many are new.

    To be called before their removals are planned, or kept.
    """
    cursor.execute(SQL["note"], {"sync_id": sync_id})
    return cursor.rowcount


def count_new(cursor: Cursor, sync_id: int) -> int:
    """How many would be noted now."""
    return int(one(cursor, SQL["count_new"], {"sync_id": sync_id})["n"])


def due(cursor: Cursor, sync_id: int, run_id: int) -> list[Due]:
    """Those that SendGrid hasn't shown, without what is no withdrawn consent any more: that is
    forgotten."""
    parameters = {"sync_id": sync_id, "run_id": run_id}
    cursor.execute(SQL["forget_moot"], parameters)
    return rows_as(Due, cursor, SQL["due"], parameters)


def see(cursor: Cursor, sync_id: int, emails: Collection[str]) -> None:
    """SendGrid shows that these addresses are unsubscribed from everything."""
    cursor.execute(SQL["see"], {"sync_id": sync_id, "emails": list(emails)})


def count_due(cursor: Cursor, sync_id: int) -> int:
    """How many addresses are to be unsubscribed still."""
    return int(one(cursor, SQL["count_due"], {"sync_id": sync_id})["n"])


def forget_all(cursor: Cursor, sync_id: int) -> None:
    """Nobody of the sync is to be unsubscribed any more."""
    cursor.execute(SQL["forget_all"], {"sync_id": sync_id})

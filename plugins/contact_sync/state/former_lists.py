"""Lists that the sync filled before its definition named another one."""

from __future__ import annotations

from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state import statements

SQL = statements.load("former_lists")


def former_lists(cursor: Cursor, run: tuple[int, int]) -> set[str]:
    """The lists on which clients may be from before this run; `run` = (sync_id, run_id)."""
    parameters = {"sync_id": run[0], "run_id": run[1]}
    return {row["list_id"] for row in many(cursor, SQL["former_lists"], parameters)}


def stay_on_list(cursor: Cursor, sync_id: int, list_id: str) -> None:
    """Nobody is taken off this list any more for not being the sync's: it is the sync's again."""
    cursor.execute(SQL["stay_on_list"], {"sync_id": sync_id, "list_id": list_id})


def leave_list(cursor: Cursor, sync_id: int, list_id: str) -> int:
    """Note every contact for removal from a former list; returns how many are new."""
    cursor.execute(SQL["note_listed_addresses"], {"sync_id": sync_id, "list_id": list_id})
    return cursor.rowcount

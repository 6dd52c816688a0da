"""Read how syncs stand, for people. What a run needs of its sync is in state/runs.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contact_sync.contacts.destination import Destination
from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state import statements
from contact_sync.state.runs import with_objects

SQL = statements.load("for_people/syncs")


@dataclass(frozen=True, slots=True)
class SyncRow:
    """A sync that has run.

    `read_at`: up to when B2CORE has been read; None before its first run has finished. `holder`:
    who is at work, None = nobody. `now` is the database's clock. `fields` give the bits of the
    ledger's masks their names. `destination` is that of the last finished run, else of the newest
    run that has one; None = no run has checked its setup yet.
    """

    name: str
    sync_id: int
    fields: list[str]
    read_at: datetime | None
    holder: str | None
    now: datetime
    destination: Destination | None

    @property
    def is_running(self) -> bool:
        """Whether a run is at work."""
        return self.holder is not None


def sync_rows(cursor: Cursor, names: list[str]) -> dict[str, SyncRow]:
    """The syncs with these names, by name; those that never ran aren't among them."""
    rows = many(cursor, SQL["sync_rows"], {"names": names})
    return {row["name"]: SyncRow(**with_objects(row)) for row in rows}


def sync_row(cursor: Cursor, name: str) -> SyncRow | None:
    """One sync; None before its first run."""
    return sync_rows(cursor, [name]).get(name)

"""Read why a sync's run waits, for people."""

from __future__ import annotations

from contact_sync.postgres.cursor import Cursor, many
from contact_sync.reporting.waiting import StateSide
from contact_sync.state import statements

SQL = statements.load("for_people/waits")


def state_side(cursor: Cursor, name: str, run_id: int | None) -> StateSide | None:
    """Of the run, or of a sync whose next run hasn't begun; None before the sync's first run."""
    found = many(cursor, SQL["waits_of_sync"], {"name": name, "run_id": run_id})
    if not found:
        return None
    own = many(cursor, SQL["waits_of_run"], {"run_id": run_id}) if run_id is not None else []
    return StateSide(**found[0], **(own[0] if own else {}))

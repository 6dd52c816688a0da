"""The state server's clock has gone back: no wait gets longer than its own length by that.

Waits are differences on the state server's clock, and on no other: of leases, quarantines, jobs,
runs, removals at rest, and the time between two full runs. A moment that is stored ahead of the
clock is of before a jump; it counts as now, so that its wait ends after its own length at the
latest. A clock that goes forward ends waits early, as if the time had passed.
"""

from __future__ import annotations

from contact_sync.postgres.cursor import Cursor, one
from contact_sync.state import statements

SQL = statements.load("clocks")
LEASE_MINUTES = 15
"""A lease that isn't renewed for so long is free; every step renews it, waits at least every 5."""


def pull_back(cursor: Cursor, sync_id: int) -> None:
    """Let everything that is stored of a sync ahead of the server's clock be of now."""
    parameters = {"sync_id": sync_id, "minutes": LEASE_MINUTES}
    cursor.execute(SQL["pull_batches"], parameters)
    cursor.execute(SQL["pull_sync"], parameters)
    cursor.execute(SQL["pull_runs"], parameters)
    cursor.execute(SQL["pull_removals"], parameters)
    cursor.execute(SQL["pull_moves"], parameters)


def went_back(*ages: float | None) -> bool:
    """Whether one of these ages, in seconds, is of a moment ahead of the clock."""
    return any(age is not None and age < -1 for age in ages)


def seconds_since_read(cursor: Cursor, run_id: int) -> float | None:
    """Seconds since the run began to read B2CORE; None = it hasn't, or the clock has gone back."""
    found = one(cursor, SQL["seconds_since_read"], {"run_id": run_id})["seconds"]
    return None if found is None or went_back(found) else float(found)

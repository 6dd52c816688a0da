"""A state database as it would be after a long time, and what a person reads of it."""

from __future__ import annotations

from typing import Any

from contact_sync.verify.prune import prune
from tests.support import connections
from tests.support.world import World

AGED = (
    "run", "batch", "removal", "ledger", "dropped_value", "suppression", "verification", "finding",
)  # fmt: skip
"""Tables whose moments go back; not the sync's own row, by which a run decides its kind, nor the
evidence by which a restored database is known."""
COLUMNS = """SELECT column_name FROM information_schema.columns
             WHERE table_schema = 'contact_sync' AND table_name = %s
                 AND data_type = 'timestamp with time zone'"""


def grow_old(world: World, days: int) -> None:
    """As if so many days had passed since all that the state database knows."""
    with connections.connection(world.state_url) as connection:
        for table in AGED:
            columns = [name for (name,) in connection.execute(COLUMNS, [table]).fetchall()]
            moves = ", ".join(f"{name} = {name} - make_interval(days => {days})"
                              for name in columns)  # fmt: skip
            connection.execute(f"UPDATE contact_sync.{table} SET {moves}".encode())


def pruned(world: World, *, dry_run: bool = False) -> dict[str, int]:
    """Prune the world's sync; returns how many of each kind there were, if any."""
    with world.sync() as sync:
        found = prune(sync.definition, sync.state, dry_run=dry_run)
    return {what: n for what, n in found.items() if n}


def ids(world: World, table: str) -> list[Any]:
    """The ids in a table of runs, batches or verifications."""
    return [n for (n,) in world.state(f"SELECT {table}_id FROM contact_sync.{table} ORDER BY 1")]

"""A sync's lease: one run at a time, whoever starts it; every older run is fenced off."""

from __future__ import annotations

from typing import Any, NamedTuple

from contact_sync.base import command_line
from contact_sync.base.errors import Fenced, LeaseBusy
from contact_sync.base.run_life import EndedWhy
from contact_sync.postgres.cursor import Cursor, many, one
from contact_sync.state import statements
from contact_sync.state.clocks import LEASE_MINUTES
from contact_sync.state.database import StateDatabase
from contact_sync.state.runs import Run

SQL = statements.load("leases")


class Lease(NamedTuple):
    """The epoch of a lease that was taken, and why it could be although another run may have it."""

    epoch: int
    why: EndedWhy


def acquire_lease(cursor: Cursor, sync_id: int, holder: str, *, take_over: bool) -> Lease:
    """Take the lease, with a new epoch; every older run of the sync is fenced off.

    A holder may take its own lease again: an Airflow task that is retried; and anybody that of a
    process that is known to be dead. Raises LeaseBusy naming the holder while another one's lease
    is valid.
    """
    parameters = {"sync_id": sync_id, "holder": holder, "minutes": LEASE_MINUTES}
    row = one(cursor, SQL["lock_lease"], parameters)
    if not take_over:
        _refuse_another(row, holder)
    why = EndedWhy.TAKEN_OVER if row["is_taken"] else EndedWhy.LEASE_RUN_OUT
    if row["lease_holder"] == holder:
        why = EndedWhy.TRIED_AGAIN
    elif row["is_taken"] and command_line.has_died(row["lease_holder"]):
        why = EndedWhy.PROCESS_DIED
    return Lease(int(one(cursor, SQL["take_lease"], parameters)["epoch"]), why)


def refuse_busy(cursor: Cursor, sync_id: int, holder: str) -> None:
    """Raise LeaseBusy where `acquire_lease` would now; takes nothing."""
    _refuse_another(one(cursor, SQL["lock_lease"], {"sync_id": sync_id}), holder)


def _refuse_another(row: dict[str, Any], holder: str) -> None:
    if not row["is_taken"] or row["lease_holder"] == holder:
        return
    if not command_line.has_died(row["lease_holder"]):
        raise LeaseBusy(
            f"{row['lease_holder']} is at work on this sync (lease until "
            f"{row['lease_until']:%H:%M:%S} UTC); one run at a time. If it is known to be dead, "
            f"don't wait for its lease to end: `python -m contact_sync run {row['name']} "
            f"--take-over`"
        )


def refuse_at_work(cursor: Cursor, sync_id: int) -> None:
    """Keep every run of the sync from beginning until the transaction ends.

    Raises LeaseBusy naming the holder while a run has the lease.
    """
    row = one(cursor, SQL["lock_lease"], {"sync_id": sync_id})
    if row["is_taken"]:
        raise LeaseBusy(
            f"{row['lease_holder']} is at work on this sync (lease until "
            f"{row['lease_until']:%H:%M:%S} UTC): repeat this when it is done"
        )


def end_older_runs(cursor: Cursor, sync_id: int, run_id: int, why: EndedWhy) -> list[int]:
    """End the runs that couldn't write their end, in the name of a new one with the lease; returns
    their ids."""
    parameters = {"sync_id": sync_id, "run_id": run_id, "why": str(why)}
    return [row["run_id"] for row in many(cursor, SQL["supersede_runs"], parameters)]


def renew_lease(state: StateDatabase, run: Run) -> None:
    """Prove that the run still holds the lease and extend it. Raises Fenced when it doesn't."""
    if run.dry_run:
        return
    with state.transaction() as cursor:
        renew(cursor, run)


def renew(cursor: Cursor, run: Run) -> None:
    """The same of a run that has a lease, in a transaction that is open."""
    parameters = {"sync_id": run.sync_id, "epoch": run.epoch, "minutes": LEASE_MINUTES}
    cursor.execute(SQL["renew_lease"], parameters)
    if cursor.rowcount == 0:
        raise Fenced(f"Run {run.run_id:,} has lost its lease to a newer run and stops here")


def release_lease(cursor: Cursor, run: Run) -> None:
    """Free the lease if this run still holds it."""
    cursor.execute(SQL["release_lease"], {"sync_id": run.sync_id, "epoch": run.epoch})

"""A run in single steps, for tests that stop between two of them."""

from __future__ import annotations

import time
from collections.abc import Callable

from contact_sync.run.check_setup import check_setup
from contact_sync.run.context import open_run
from contact_sync.run.continue_erasures import continue_erasures
from contact_sync.run.find_removals import find_removals
from contact_sync.run.finish_run import finish_run
from contact_sync.run.plan_batches import plan_batches
from contact_sync.run.read_suppressions import read_suppressions
from contact_sync.run.remove_excluded import remove_excluded
from contact_sync.run.select_clients import select_clients
from contact_sync.run.sending.poll_job import settle_batch
from contact_sync.run.sending.submit import submit_batch
from contact_sync.run.settle_earlier_runs import settle_earlier_runs
from contact_sync.run.stage_clients import stage_clients
from contact_sync.state.runs import Run
from contact_sync.sync import Sync
from tests.support.world import World

TABLES = (
    "sync",
    "run",
    "slice",
    "batch",
    "outbox",
    "outbox_block",
    "ledger",
    "removal",
    "dropped_value",
    "suppression",
)


def the_batch(sync: Sync) -> int:
    """The id of the sync's newest batch."""
    with sync.state.transaction() as cursor:
        cursor.execute(
            """SELECT max(batch_id) AS newest FROM contact_sync.batch
               JOIN contact_sync.sync USING (sync_id) WHERE name = %s""",
            (sync.definition.name,),
        )
        return int((cursor.fetchone() or {})["newest"])


def settle(sync: Sync, run: Run) -> None:
    """Poll the newest batch's job to its end."""
    while not settle_batch(sync, run, the_batch(sync)):
        time.sleep(0.02)


STEPS: dict[str, Callable[[Sync, Run], object]] = {
    "settle_earlier_runs": settle_earlier_runs,
    "erase": continue_erasures,
    "check": check_setup,
    "suppressions": read_suppressions,
    "select": select_clients,
    "stage": lambda sync, run: stage_clients(sync, run, 0),
    "plan": plan_batches,
    "exclude": remove_excluded,
    "submit": lambda sync, run: submit_batch(sync, run, the_batch(sync)),
    "settle": settle,
    "remove": find_removals,
    "finish": finish_run,
}
"""The steps of a run with one slice and one batch, in their order."""


def go_on(sync: Sync, run_id: int, *, before: str, after: str = "") -> None:
    """Take a run's steps from the one after `after`, or the first, to the one before `before`."""
    names = list(STEPS)
    start = names.index(after) + 1 if after else 0
    for name in names[start : names.index(before)]:
        STEPS[name](sync, open_run(sync, run_id))


def staged(world: World) -> tuple[int, int]:
    """How many contacts wait to be sent in blocks, and how many in rows."""
    ((blocks, rows),) = world.state(
        """SELECT (SELECT coalesce(sum(contacts), 0)::int FROM contact_sync.outbox_block),
                  (SELECT count(*)::int FROM contact_sync.outbox)"""
    )
    return blocks, rows


def everything(world: World) -> list[list[tuple[str, ...]]]:
    """All rows of the state database, and all that has left for SendGrid: calls and contents."""
    rows = [
        world.state(f"SELECT t::text FROM contact_sync.{table} AS t ORDER BY 1") for table in TABLES
    ]
    return [*rows, [(call,) for call in world.writes()], [(world.sent(),)]]

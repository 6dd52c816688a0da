"""A run with little to do: as much of it as is small, in the process of the task that began it.

Under a scheduler each task costs a process, a second of imports and a turn of its loop: twelve of
them take longer than the few clients that most runs are about. So `start_run` goes on with the
steps that follow, as long as they are small, and their tasks are skipped. Whatever is large, fails
for now or has to wait is left, from there on, to the tasks themselves, which are mapped, tried
again and looked at as ever: every step may be repeated. Nothing here knows Airflow.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple

from contact_sync.base.errors import FatalError, told_safely
from contact_sync.base.suppressed import SuppressionNews
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.check_setup import check_setup
from contact_sync.run.context import open_run, snapshot_of
from contact_sync.run.continue_erasures import continue_erasures
from contact_sync.run.find_removals import find_removals
from contact_sync.run.plan_batches import plan_batches
from contact_sync.run.read_suppressions import read_suppressions
from contact_sync.run.remove_excluded import remove_excluded
from contact_sync.run.select_clients import select_clients
from contact_sync.run.send_batch import send_and_look
from contact_sync.run.settle_earlier_runs import settle_earlier_runs
from contact_sync.run.stage_clients import stage_clients
from contact_sync.state import batches, staging, suppressed
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
MOST_CLIENTS = 1_000
"""So many are looked at and sent within a second or two."""
MOST_BATCHES = 4


class Part(NamedTuple):
    """Steps that are left together, because the tasks of the later ones are mapped over what the
    first one's returns. `take` does them all and returns whether nothing of them is left."""

    tasks: tuple[str, ...]
    take: Callable[[Sync, int], bool]
    sends: bool = False


def go_on(sync: Sync, run_id: int) -> list[str]:
    """Take the steps after `start_run` while they are small; returns the names of those that are
    done. Of a run that isn't incremental only the checks are: it reads every client.

    Raises FatalError once it has begun to send: what failed isn't open any more then, so that no
    task would meet the error.
    """
    is_incremental = open_run(sync, run_id).kind is RunKind.INCREMENTAL
    has_begun = _has_begun(sync, run_id)
    done: list[str] = []
    with sync.b2core.keeping_connections():
        for part in CHECKS + (STEPS if is_incremental or has_begun else ()):
            if not ((has_begun and not part.sends) or _took(part, sync, run_id)):
                break
            done += part.tasks
    return done


def _has_begun(sync: Sync, run_id: int) -> bool:
    """Whether it sends already: also when an earlier try of the task, which was killed, did."""
    with sync.state.transaction() as cursor:
        return batches.has_begun_to_send(cursor, run_id)


def _took(part: Part, sync: Sync, run_id: int) -> bool:
    try:
        is_done = part.take(sync, run_id)
    except Exception as error:
        if isinstance(error, FatalError) and _has_begun(sync, run_id):
            raise
        log.warning("%s. The task %s does it again", told_safely(error), part.tasks[0])
        return False
    names = ", ".join(part.tasks)
    log.info("Done here: %s" if is_done else "Left to tasks of their own: %s", names)
    return is_done


def selected_slices(sync: Sync, run: Run) -> int | None:
    """How many slices `start_run` has selected and left to tasks; None = it hasn't."""
    if run.snapshot is None:
        return None
    with sync.state.transaction() as cursor:
        staged = staging.slice_counts(cursor, run.run_id)
    return len(staged) if all(counts is None for counts in staged) else None


def news(sync: Sync, run: Run) -> SuppressionNews:
    """What the run has read about who gets no mail."""
    with sync.state.transaction() as cursor:
        return suppressed.news_of(cursor, run.run_id)


def _settle(sync: Sync, run_id: int) -> bool:
    return settle_earlier_runs(sync, open_run(sync, run_id)) is None


def _check(sync: Sync, run_id: int) -> bool:
    continue_erasures(sync, open_run(sync, run_id))
    check_setup(sync, open_run(sync, run_id))
    return True


def _read_suppressions(sync: Sync, run_id: int) -> bool:
    read_suppressions(sync, open_run(sync, run_id))
    return True


def _select(sync: Sync, run_id: int) -> bool:
    slices = select_clients(sync, open_run(sync, run_id))
    run = open_run(sync, run_id)
    chosen = snapshot_of(run).chosen or 0
    if run.unproven is not None or chosen > MOST_CLIENTS:
        return False
    for slice_no in range(slices):
        stage_clients(sync, open_run(sync, run_id), slice_no)
    return True


def _send(sync: Sync, run_id: int) -> bool:
    """Leaves it to a task to ask a person: this one can't wait for the answer."""
    batch_ids = plan_batches(sync, open_run(sync, run_id))
    run = open_run(sync, run_id)
    if run.approval is not None and run.approval.decision is None and not run.dry_run:
        return False
    return _sent(sync, run_id, remove_excluded(sync, run)) and _sent(sync, run_id, batch_ids)


def _remove(sync: Sync, run_id: int) -> bool:
    return _sent(sync, run_id, find_removals(sync, open_run(sync, run_id)))


def _sent(sync: Sync, run_id: int, batch_ids: list[int]) -> bool:
    return len(batch_ids) <= MOST_BATCHES and not send_and_look(sync, run_id, batch_ids)


CHECKS = (
    Part(("settle_earlier_runs",), _settle),
    Part(("check_setup",), _check),
    Part(("read_suppressions",), _read_suppressions),
)
STEPS = (
    Part(("select_clients", "stage_clients"), _select),
    Part(("plan_batches", "approve_plan", "remove_excluded", "send_batch"), _send, sends=True),
    Part(("find_removals", "remove_batch"), _remove, sends=True),
)

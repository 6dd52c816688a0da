"""All steps of a run in one process: the command line's `run` and `plan`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from queue import Empty, PriorityQueue
from threading import Event
from time import monotonic
from typing import NamedTuple, TypeVar

import tenacity

from contact_sync.base.errors import RetryableError, SyncError, told_safely
from contact_sync.base.vocabulary import RunKind, RunState
from contact_sync.reporting.failure import cause_of
from contact_sync.run.check_setup import check_setup
from contact_sync.run.context import open_run
from contact_sync.run.continue_erasures import continue_erasures
from contact_sync.run.find_removals import find_removals
from contact_sync.run.finish_run import finish_run
from contact_sync.run.plan_batches import plan_batches
from contact_sync.run.read_suppressions import read_suppressions
from contact_sync.run.release_lease import release_lease
from contact_sync.run.remove_excluded import remove_excluded
from contact_sync.run.select_clients import select_clients
from contact_sync.run.send_batch import send_batch
from contact_sync.run.settle_earlier_runs import settle_earlier_runs
from contact_sync.run.start_run import start_run
from contact_sync.state.runs import Options, Run, load_run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
T = TypeVar("T")
MAX_SUBMITS = MAX_READS = 3
READ_PAUSE, SUBMIT_PAUSE = 4.0, 2.0
"""Seconds before the second try of a step; twice as long before the third."""
POLL_FIRST, POLL_MAX = 0.1, 30.0
AT_ONCE = 2
"""So many slices are staged at once, and twice as many batches sent: one keeps PostgreSQL busy, the
other us. Each slice has a connection to B2CORE, each sender one to SendGrid."""


def run_sync(
    sync: Sync,
    kind: RunKind,
    *,
    holder: str,
    options: Options | None = None,
    take_over: bool = False,
) -> int:
    """Run all steps; returns the run's id. On any error the run is ended with its cause."""
    run_id = _reading(
        lambda: start_run(sync, kind, holder=holder, options=options, take_over=take_over)
    )
    try:
        _steps(sync, run_id)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 only translated
        told = told_safely(error)
        _end(sync, run_id, cause_of(told, sync.definition.connections))
        told.run_id = run_id
        raise told from None
    return run_id


def _end(sync: Sync, run_id: int, cause: str) -> None:
    try:
        _reading(lambda: release_lease(sync, run_id, cause))
    except SyncError as error:  # the first one is what a person has to know
        log.warning(
            "The end of run %d can't be stored, so that it keeps its lease: %s. The next run ends "
            "it, once the lease has run out", run_id, error,
        )  # fmt: skip


def _steps(sync: Sync, run_id: int) -> None:
    while (
        pause := _reading(lambda: settle_earlier_runs(sync, open_run(sync, run_id)))
    ) is not None:
        log.info("Waiting %.0f s for what an earlier run left open", pause)
        time.sleep(pause)
    _reading(lambda: continue_erasures(sync, open_run(sync, run_id)))
    with sync.b2core.keeping_connections():
        _reading(lambda: check_setup(sync, open_run(sync, run_id)))
        _reading(lambda: read_suppressions(sync, open_run(sync, run_id)))
        slices = _reading(lambda: select_clients(sync, open_run(sync, run_id)))
        with _pool(AT_ONCE) as pool:
            _all(pool.submit(_stage, sync, run_id, slice_no) for slice_no in range(slices))
        batch_ids = _reading(lambda: plan_batches(sync, open_run(sync, run_id)))
    send_batches(sync, run_id, _reading(lambda: remove_excluded(sync, open_run(sync, run_id))))
    send_batches(sync, run_id, batch_ids)
    send_batches(sync, run_id, _reading(lambda: find_removals(sync, open_run(sync, run_id))))
    _reading(lambda: _finish(sync, run_id))


def _finish(sync: Sync, run_id: int) -> None:
    """End the run; a try before may have done so and lost the answer."""
    if load_run(sync.state, run_id).state is not RunState.SUCCEEDED:
        finish_run(sync, open_run(sync, run_id))


@contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that have ended when the block has; after an error nothing more is begun."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _all(futures: Iterable[Future[None]]) -> None:
    for future in list(futures):
        future.result()


def stage_clients(sync: Sync, run: Run, slice_no: int) -> None:
    """The step. It brings pandas along: a run that finds nothing to do lives without."""
    from contact_sync.run.stage_clients import stage_clients as step

    step(sync, run, slice_no)


def _stage(sync: Sync, run_id: int, slice_no: int) -> None:
    _reading(lambda: stage_clients(sync, open_run(sync, run_id), slice_no))


def _reading(step: Callable[[], T]) -> T:
    """The result of a step that reads B2CORE or writes down what is known: repeating it replaces
    what an earlier try left. A database that fails over meanwhile is there again."""
    return _retrying(MAX_READS, READ_PAUSE)(step)


def _sending(step: Callable[[], T]) -> T:
    """The result of a step that sends; what its try left open is continued by the next try."""
    return _retrying(MAX_SUBMITS, SUBMIT_PAUSE)(step)


def _retrying(tries: int, pause: float) -> tenacity.Retrying:
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(RetryableError),
        stop=tenacity.stop_after_attempt(tries),
        wait=tenacity.wait_exponential(multiplier=pause),
        before_sleep=_tell,
        reraise=True,
    )


def _tell(failed: tenacity.RetryCallState) -> None:
    error = failed.outcome.exception() if failed.outcome else None
    log.warning("%s; trying again in %.0f s", error, failed.upcoming_sleep)


def send_batches(sync: Sync, run_id: int, batch_ids: list[int]) -> None:
    """Send the batches and follow their jobs to the end, several at a time."""
    sender = _Sender(run_id, batch_ids)
    if len(batch_ids) < 2:
        sender.work(sync)
        return
    with _pool(2 * AT_ONCE) as pool:
        threads = [pool.submit(sender.work_apart, sync) for _ in range(2 * AT_ONCE)]
        try:
            wait(threads, return_when=FIRST_EXCEPTION)
        finally:
            sender.stop.set()
    _all(threads)


class _Turn(NamedTuple):
    """When to go on with a batch, and the job that it was waiting for."""

    due: float
    batch_id: int
    job_id: str | None = None
    pause: float = 0.0


class _Sender:
    """The batches that are to be sent, or followed, by whichever thread is free."""

    def __init__(self, run_id: int, batch_ids: list[int]) -> None:
        self._run_id = run_id
        self._turns: PriorityQueue[_Turn] = PriorityQueue()
        for batch_id in batch_ids:
            self._turns.put(_Turn(0.0, batch_id))
        self.stop = Event()

    def work_apart(self, sync: Sync) -> None:
        """Work in a thread of its own."""
        with sync.sendgrid.for_another_thread() as sendgrid:
            self.work(replace(sync, sendgrid=sendgrid))

    def work(self, sync: Sync) -> None:
        """Go on with whatever is due next, until nothing is left or the work is stopped.

        A thread may leave when the others hold all that is left: each puts back what it took, and
        takes the next.
        """
        while (turn := self._next()) is not None:
            if self.stop.wait(max(0.0, turn.due - monotonic())):
                return
            job_id = _sending(partial(self._send, sync, turn.batch_id))
            if job_id is not None:
                pause = min(turn.pause * 1.5, POLL_MAX) if job_id == turn.job_id else POLL_FIRST
                self._turns.put(_Turn(monotonic() + pause, turn.batch_id, job_id, pause))

    def _next(self) -> _Turn | None:
        try:
            return self._turns.get_nowait()
        except Empty:
            return None

    def _send(self, sync: Sync, batch_id: int) -> str | None:
        return send_batch(sync, open_run(sync, self._run_id), batch_id)

"""All steps of a run in one process: the command line's `run` and `plan`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from threading import Event
from typing import TypeVar

from contact_sync.base.errors import RetryableError, told_safely
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.check_setup import check_setup
from contact_sync.run.context import open_run
from contact_sync.run.find_removals import plan_exclusions, plan_removals
from contact_sync.run.finish_run import finish_run
from contact_sync.run.plan_batches import plan_run
from contact_sync.run.release_lease import end_run
from contact_sync.run.select_clients import select_clients
from contact_sync.run.send_batch import send_on
from contact_sync.run.sending.submit import submit_batch
from contact_sync.run.settle_earlier_runs import drain
from contact_sync.run.stage_clients import stage_slice
from contact_sync.run.start_run import NO_OPTIONS, begin_run
from contact_sync.state.runs import Options, Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
T = TypeVar("T")
MAX_SUBMITS = MAX_READS = 3
READ_PAUSE = 2.0
POLL_FIRST, POLL_MAX = 0.1, 30.0
AT_ONCE = 2
"""So many slices are staged, batches submitted and jobs settled at once: one keeps PostgreSQL busy,
the other us. Each slice has a connection to B2CORE."""


def run_sync(
    sync: Sync,
    kind: RunKind,
    *,
    holder: str,
    options: Options = NO_OPTIONS,
    take_over: bool = False,
) -> int:
    """Run all steps; returns the run's id. On any error the run is ended with its cause."""
    run_id = begin_run(sync, kind, holder=holder, options=options, take_over=take_over)
    try:
        _steps(sync, run_id)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 only translated
        told = told_safely(error)
        end_run(sync, run_id, str(told))
        raise told from None
    return run_id


def _steps(sync: Sync, run_id: int) -> None:
    while (wait := drain(sync, open_run(sync, run_id))) is not None:
        log.info("Waiting %.0f s for what an earlier run left open", wait)
        time.sleep(wait)
    check_setup(sync, open_run(sync, run_id))
    slices = _retried(lambda: select_clients(sync, open_run(sync, run_id)))
    with _pool(AT_ONCE) as pool:
        _all(pool.submit(_stage, sync, run_id, slice_no) for slice_no in range(slices))
    batch_ids = plan_run(sync, open_run(sync, run_id))
    _send(sync, run_id, plan_exclusions(sync, open_run(sync, run_id)))
    _send(sync, run_id, batch_ids)
    _send(sync, run_id, plan_removals(sync, open_run(sync, run_id)))
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


def _stage(sync: Sync, run_id: int, slice_no: int) -> None:
    _retried(lambda: stage_slice(sync, open_run(sync, run_id), slice_no))


def _retried(read: Callable[[], T]) -> T:
    """The result of a step that reads B2CORE; repeating it replaces what an earlier try left."""
    for attempt in range(1, MAX_READS):
        try:
            return read()
        except RetryableError as error:
            log.warning("%s; trying again", error)
            time.sleep(READ_PAUSE * 2**attempt)
    return read()


def _send(sync: Sync, run_id: int, batch_ids: list[int]) -> None:
    """Submit the batches, AT_ONCE at a time; meanwhile, settle those that are submitted."""
    stop = Event()
    if len(batch_ids) < 2:
        for batch_id in batch_ids:
            _follow(sync, run_id, batch_id, stop)
        return
    with ExitStack() as stack:
        own = [
            replace(sync, sendgrid=stack.enter_context(sync.sendgrid.for_another_thread()))
            for _ in range(2 * AT_ONCE)
        ]
        submitting = stack.enter_context(_pool(AT_ONCE))
        settling = stack.enter_context(_pool(AT_ONCE))

        def submit(batch_id: int) -> None:
            with _taken_from(own) as mine:
                _submit(mine, run_id, partial(submit_batch, batch_id=batch_id))

        def settle(batch_id: int, submission: Future[None]) -> None:
            submission.result()
            with _taken_from(own) as mine:
                _follow(mine, run_id, batch_id, stop)

        submitted = [submitting.submit(submit, batch_id) for batch_id in batch_ids]

        def give_up() -> None:
            stop.set()
            for submission in submitted:
                submission.cancel()

        stack.callback(give_up)  # of what is still under way, after an error
        _all([settling.submit(settle, *sent) for sent in zip(batch_ids, submitted, strict=True)])


@contextmanager
def _taken_from(own: list[Sync]) -> Iterator[Sync]:
    """One that no other thread has meanwhile; there is one for each thread."""
    mine = own.pop()
    try:
        yield mine
    finally:
        own.append(mine)


def _follow(sync: Sync, run_id: int, batch_id: int, stop: Event) -> None:
    """Submit the batch, unless that has happened, and settle it when its job is over."""
    last, pause = None, POLL_FIRST
    while job_id := _submit(sync, run_id, partial(send_on, root_id=batch_id)):
        pause = min(pause * 1.5, POLL_MAX) if job_id == last else POLL_FIRST
        last = job_id
        if stop.wait(pause):
            return


def _submit(sync: Sync, run_id: int, submit: Callable[[Sync, Run], T]) -> T:
    """The result of a step that sends; what its try left open is continued by the next try."""
    for attempt in range(1, MAX_SUBMITS):
        try:
            return submit(sync, open_run(sync, run_id))
        except RetryableError as error:
            log.warning("%s; trying again", error)
            time.sleep(2**attempt)
    return submit(sync, open_run(sync, run_id))

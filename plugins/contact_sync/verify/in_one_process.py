"""All steps of a verification in one process: the command line's `verify`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import tenacity

from contact_sync.base.errors import Fenced, RetryableError, Stopped, SyncError, told_safely
from contact_sync.state.verifications import Verification
from contact_sync.sync import Sync
from contact_sync.verify.account_side import load_account_side
from contact_sync.verify.b2core_side import load_b2core_side
from contact_sync.verify.begin_verification import begin_verification
from contact_sync.verify.compare_sides import (
    compare_sides,
    fail_verification,
    finish_verification,
)
from contact_sync.verify.order_export import order_export, poll_export
from contact_sync.verify.rebuild import rebuild_ledger, wait_for_forgotten

log = logging.getLogger(__name__)
T = TypeVar("T")
TRIES, PAUSE = 3, 4.0
"""Of a step that failed for now; seconds before the second try, twice as many before the third."""
POLL_FIRST, POLL_MAX, TOLD_SECONDS = 0.2, 30.0, 60.0


def verify_sync(
    sync: Sync,
    *,
    holder: str,
    reason: str | None = None,
    export_id: str | None = None,
    rebuild: bool = False,
) -> Verification:
    """Verify a sync; returns the verification at its end.

    One that was stopped, or that failed for now, stays under way: the next call continues it. Any
    other error ends it as failed. `rebuild`: the ledger is filled from it.
    """
    if rebuild:
        wait_for_forgotten(sync)
    begin = partial(
        begin_verification, holder=holder, reason=reason, export_id=export_id, rebuild=rebuild
    )
    verification_id = _trying(lambda: begin(sync))
    try:
        return _steps(sync, verification_id, holder)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 only translated
        told = told_safely(error)
        if not isinstance(told, Stopped | RetryableError | Fenced):
            _fail(sync, verification_id, str(told))
        raise told from None


def _steps(sync: Sync, verification_id: int, holder: str) -> Verification:
    step = partial(_step, sync, verification_id, holder)
    step(order_export)
    _trying(lambda: _compared(sync, verification_id, holder))
    step(rebuild_ledger)
    return step(finish_verification)


def _compared(sync: Sync, verification_id: int, holder: str) -> None:
    """Read both sides and compare them; what is complete isn't read again. B2CORE is read while
    SendGrid writes its export."""
    step = partial(_step, sync, verification_id, holder)
    step(load_b2core_side)
    _wait(sync, verification_id, holder)
    step(load_account_side)
    compare_sides(sync, verification_id, holder)


def _step(
    sync: Sync, verification_id: int, holder: str, step: Callable[[Sync, int, str | None], T]
) -> T:
    return _trying(lambda: step(sync, verification_id, holder))


def _wait(sync: Sync, verification_id: int, holder: str) -> None:
    pause, told = POLL_FIRST, time.monotonic()
    while not _step(sync, verification_id, holder, poll_export):
        if time.monotonic() - told >= TOLD_SECONDS:
            log.info("SendGrid is still writing the export")
            told = time.monotonic()
        time.sleep(pause)
        pause = min(pause * 1.5, POLL_MAX)


def _fail(sync: Sync, verification_id: int, cause: str) -> None:
    try:
        fail_verification(sync, verification_id, cause)
    except SyncError as error:  # the first one is what a person has to know
        log.warning("The end of verification %d can't be stored: %s", verification_id, error)


def _trying(step: Callable[[], T]) -> T:
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(RetryableError),
        stop=tenacity.stop_after_attempt(TRIES),
        wait=tenacity.wait_exponential(multiplier=PAUSE),
        before_sleep=_tell,
        reraise=True,
    )
    return retrying(step)


def _tell(failed: tenacity.RetryCallState) -> None:
    error = failed.outcome.exception() if failed.outcome else None
    log.warning("%s; trying again", error)

"""Which calls of SendGrid are tried again, how often, and after which pause.

docs/architecture.md lists who else repeats what.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import tenacity

from contact_sync.base.errors import SENDGRID, FateUnknown, RetryableError, SyncError

T = TypeVar("T")
log = logging.getLogger(__name__)

RETRY_BUDGET_SECONDS = 150  # two full rate-limit windows of a minute
MAX_TRIES = 6
SHORT_SECONDS = 2.0
"""A shorter pause is over before anybody has read of it."""
TellWait = Callable[[str, float], None]
"""Is told why a call waits, and for how many seconds."""


def tell_nobody(_why: str, _seconds: float) -> None:
    """For callers whose waits nobody follows; the log has them all the same."""


def retrying(
    seconds: float = RETRY_BUDGET_SECONDS, tell: TellWait = tell_nobody
) -> tenacity.Retrying:
    """Repeats a call that RetryableError says may succeed later, unless its fate is unknown; the
    pause is SendGrid's hint, or grows at random if there is none or it is over. Gives up with the
    last error when the next try would begin later than `seconds` after the first. `tell` is told of
    each pause that isn't short, before it."""
    backoff = tenacity.wait_random_exponential(multiplier=1, max=30)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        hint = error.retry_after if isinstance(error, RetryableError) else None
        return hint + 0.2 if hint else backoff(state)

    def is_worthwhile(error: BaseException) -> bool:
        if not isinstance(error, RetryableError) or isinstance(error, FateUnknown):
            return False
        return error.retry_after is None or error.retry_after < seconds

    def told(state: tenacity.RetryCallState) -> None:
        why = str(state.outcome.exception()) if state.outcome else ""
        if (pause := state.upcoming_sleep) >= SHORT_SECONDS:
            begins = f"{datetime.now(UTC) + timedelta(seconds=pause):%H:%M:%S}"
            log.warning("%s. Try %d of %s begins at %s UTC, in %.0f s", why,
                        state.attempt_number + 1, f"{MAX_TRIES:,}", begins, pause)  # fmt: skip
            tell(why, pause)

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(is_worthwhile),
        wait=wait,
        stop=tenacity.stop_after_attempt(MAX_TRIES) | tenacity.stop_before_delay(seconds),
        before_sleep=told,
        reraise=True,
    )


def retried(call: Callable[[], T], seconds: float, tell: TellWait) -> T:
    """What a call returns that is repeated so; of its error is noted that it is about SendGrid."""
    try:
        return retrying(seconds, tell)(call)
    except SyncError as error:
        error.about = SENDGRID
        raise

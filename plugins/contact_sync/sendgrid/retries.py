"""Which calls of SendGrid are tried again, how often, and after which pause.

docs/architecture.md lists who else repeats what.
"""

from __future__ import annotations

import tenacity

from contact_sync.base.errors import FateUnknown, RetryableError

RETRY_BUDGET_SECONDS = 150  # two full rate-limit windows of a minute
MAX_TRIES = 6


def retrying(seconds: float = RETRY_BUDGET_SECONDS) -> tenacity.Retrying:
    """Repeats a call that RetryableError says may succeed later, unless its fate is unknown; the
    pause is SendGrid's hint, or grows at random if there is none or it is over. Gives up with the
    last error when the next try would begin later than `seconds` after the first."""
    backoff = tenacity.wait_random_exponential(multiplier=1, max=30)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        hint = error.retry_after if isinstance(error, RetryableError) else None
        return hint + 0.2 if hint else backoff(state)

    def is_worthwhile(error: BaseException) -> bool:
        if not isinstance(error, RetryableError) or isinstance(error, FateUnknown):
            return False
        return error.retry_after is None or error.retry_after < seconds

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(is_worthwhile),
        wait=wait,
        stop=tenacity.stop_after_attempt(MAX_TRIES) | tenacity.stop_before_delay(seconds),
        reraise=True,
    )

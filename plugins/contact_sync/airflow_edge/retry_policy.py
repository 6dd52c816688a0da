"""When Airflow tries a task again, and why: it keeps both, and our pages read them.

Airflow asks the policy in the worker, stores the reason and the pause with the try
(`task_instance.retry_reason` and `retry_delay_override`, of each try in `task_instance_history`),
and keeps to its own number of tries. A worker that is killed asks nobody: such a try has no reason.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowTaskTimeout,
    TaskDeferralError,
    TaskDeferralTimeout,
)

from contact_sync.base.errors import RetryableError, told_safely

log = logging.getLogger(__name__)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=20), timedelta(minutes=5)
LONGEST_HINT = timedelta(hours=1)
"""SendGrid's windows are a minute to an hour long: it isn't asked again before one is over."""
MAX_REASON = 500  # characters of Airflow's column
TOO_LONG = "it took longer than its time-out, `execution_timeout`, allows"
NOT_WOKEN = "nothing ended its wait in time: see whether the triggerer is running"
NO_TRIGGER = "its trigger failed: the triggerer's log says why"


class TellingRetryPolicy(RetryPolicy):
    """The pause doubles from FIRST_PAUSE to LONGEST_PAUSE; where SendGrid has said when its limit
    is reset, it is that long at least."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Any = None,
    ) -> RetryDecision:
        """Try again, if Airflow has tries left; the reason holds no text of a library."""
        del context
        seconds, why = pause(exception, try_number), reason(exception)
        if try_number <= max_tries:
            again = datetime.now(UTC) + seconds
            log.warning("Try %d of %s has failed. The next one begins at %s UTC at the earliest, "
                        "because of this: %s",
                        try_number, f"{max_tries + 1:,}", f"{again:%H:%M:%S}",
                        why)  # fmt: skip
        return RetryDecision.retry(seconds, why)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def pause(error: BaseException, try_number: int) -> timedelta:
    """How long to wait after a try, the first of which is 1."""
    grown: timedelta = min(FIRST_PAUSE * 2 ** min(max(try_number, 1) - 1, 10), LONGEST_PAUSE)
    hint = error.retry_after if isinstance(error, RetryableError) else None
    return max(grown, min(timedelta(seconds=hint), LONGEST_HINT)) if hint else grown


def reason(error: BaseException) -> str:
    """Why a try has failed, in one line without personal data."""
    if isinstance(error, AirflowTaskTimeout):
        return TOO_LONG
    if isinstance(error, TaskDeferralTimeout):
        return NOT_WOKEN
    if isinstance(error, TaskDeferralError):
        return NO_TRIGGER
    if isinstance(error, AirflowException):
        return f"Airflow: {type(error).__name__}"
    return " ".join(str(told_safely(error)).split())[:MAX_REASON]

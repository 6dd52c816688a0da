"""When Airflow tries a task again, and what it keeps of why."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from airflow.sdk.exceptions import AirflowTaskTimeout, TaskDeferralTimeout

from contact_sync.airflow_edge.retry_policy import (
    LONGEST_HINT,
    NOT_WOKEN,
    TOO_LONG,
    TellingRetryPolicy,
    pause,
    reason,
)
from contact_sync.base.errors import RetryableError


def test_the_pause_grows_and_is_as_long_as_sendgrid_says_at_least() -> None:
    """A hint that is no sensible time is cut."""
    grown = [pause(RetryableError("x"), number).total_seconds() for number in (1, 2, 3, 9)]
    assert grown == [20, 40, 80, 300]
    assert pause(RetryableError("x", retry_after=900), 1) == timedelta(minutes=15)
    assert pause(RetryableError("x", retry_after=5), 2) == timedelta(seconds=40)
    assert pause(RetryableError("x", retry_after=1e6), 1) == LONGEST_HINT


def test_the_reason_is_ours_and_holds_no_text_of_a_library() -> None:
    """Airflow stores it, and shows it to whoever may see the task."""
    assert reason(RetryableError("SendGrid\nanswered 503")) == "SendGrid answered 503"
    assert reason(AirflowTaskTimeout("ann@example.com")) == TOO_LONG
    assert reason(TaskDeferralTimeout("x")) == NOT_WOKEN
    withheld = reason(ValueError("ann@example.com"))
    assert "ann" not in withheld
    assert "Unforeseen ValueError" in withheld


def test_O12_the_log_of_a_task_that_is_tried_again_says_when_and_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As its last line; after the last try there is nothing to wait for."""
    policy, error = TellingRetryPolicy(), RetryableError("SendGrid answered 503")
    with caplog.at_level(logging.WARNING):
        decision = policy.evaluate(error, 1, 3)
    assert (decision.retry_delay, decision.reason) == (timedelta(seconds=20), str(error))
    assert "Try 1 of 4 has failed. The next one begins at" in caplog.text
    assert "because of this: SendGrid answered 503" in caplog.text
    caplog.clear()
    policy.evaluate(error, 4, 3)
    assert caplog.text == ""

"""What a job that is over means for its batch."""

from __future__ import annotations

import pytest

from contact_sync.base.vocabulary import Job, JobStatus
from contact_sync.run.sending.judge import Do, judge
from contact_sync.run.sending.verify import MAX_READ_BACK

COMPLETED, ERRORED, FAILED = JobStatus.COMPLETED, JobStatus.ERRORED, JobStatus.FAILED
MANY = MAX_READ_BACK + 1


def job(status: JobStatus, requested: int, applied: int, errored: int = 0) -> Job:
    """A job's last answer; who was applied was created or updated."""
    return Job("j", status, requested=requested, created=1, updated=applied - 1, errored=errored)


@pytest.mark.parametrize(
    ("over", "contacts", "named", "do", "reason"),
    [
        (job(COMPLETED, 5, 5), 5, 0, Do.CONFIRM, ""),
        (job(COMPLETED, 0, 5), 5, 0, Do.CONFIRM, ""),
        (job(COMPLETED, 5, 4), 5, 0, Do.READ_BACK, ""),
        (job(COMPLETED, 4, 4), 5, 0, Do.READ_BACK, ""),
        (job(COMPLETED, 4, 5), 5, 0, Do.READ_BACK, ""),
        (job(COMPLETED, MANY, MANY - 1), MANY, 0, Do.READ_SAMPLE, "not_applied"),
        (job(COMPLETED, 0, MANY - 1), MANY, 0, Do.READ_SAMPLE, "not_applied"),
        (job(COMPLETED, MANY - 1, MANY - 1), MANY, 0, Do.SEND_AGAIN, "not_applied"),
        (job(ERRORED, 5, 3, 2), 5, 2, Do.CONFIRM, ""),
        (job(ERRORED, 5, 2, 2), 5, 2, Do.READ_BACK, ""),
        (job(ERRORED, 5, 3, 2), 5, 1, Do.FIND_REFUSED, ""),
        (job(ERRORED, 5, 5, 0), 5, 0, Do.FIND_REFUSED, ""),
        (job(ERRORED, MANY, MANY - 2, 2), MANY, 1, Do.SEND_AGAIN, "errors_file_unclear"),
        (job(ERRORED, MANY, MANY - 2, 2), MANY, 2, Do.CONFIRM, ""),
        (job(ERRORED, MANY, MANY - 3, 2), MANY, 2, Do.READ_SAMPLE, "not_applied"),
        (job(ERRORED, MANY - 1, MANY - 3, 2), MANY, 2, Do.SEND_AGAIN, "not_applied"),
        (job(FAILED, 5, 5, 0), 5, 4, Do.SEND_AGAIN, "job_failed"),
        (job(FAILED, 5, 0, 5), 5, 5, Do.CONFIRM, ""),
    ],
)
def test_every_way_a_job_can_end(over: Job, contacts: int, named: int, do: Do, reason: str) -> None:
    """Completed, errored or failed; the counts add up or not; few or too many to read back."""
    found = judge(over, contacts, named)
    assert found.do is do
    if reason:
        assert found.reason == reason

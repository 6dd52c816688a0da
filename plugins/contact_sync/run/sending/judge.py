"""What a job that is over means for its batch. Pure: `poll_job` does what is said here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from contact_sync.base.vocabulary import Job, JobStatus, PendingReason
from contact_sync.run.sending.verify import MAX_READ_BACK


class Do(Enum):
    """What has to be done with the batch's contacts, but for those that the errors file names."""

    CONFIRM = auto()
    """They are as they were sent: every one is accounted for."""
    READ_BACK = auto()
    """The job refused none of them, and yet they aren't all accounted for: look at each."""
    READ_SAMPLE = auto()
    """The same, of a batch too large to look at each."""
    FIND_REFUSED = auto()
    """The job refused more than those that are named: look who isn't as sent."""
    SEND_AGAIN = auto()
    """Nothing can be said of any: in other batches, or by the next run."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What to do; `reason` says why the contacts have to be sent again."""

    do: Do
    reason: PendingReason = PendingReason.NOT_APPLIED


def judge(job: Job, contacts: int, named: int) -> Judgement:
    """Judge a job that is over, of a batch of `contacts`, `named` of them in its errors file.

    A failed job may have applied none of them, so that only a full list helps. Counts that don't
    add up needn't mean a loss: SendGrid seems to count rows that change nothing nowhere. So the
    contacts are read back; of a batch too large for that, a sample if SendGrid saw every row.
    """
    if job.status is JobStatus.FAILED:
        return (
            Judgement(Do.CONFIRM)
            if named >= contacts
            else Judgement(Do.SEND_AGAIN, PendingReason.JOB_FAILED)
        )
    is_large = contacts > MAX_READ_BACK
    if job.status is JobStatus.ERRORED and named < refused_by(job):
        if is_large:
            return Judgement(Do.SEND_AGAIN, PendingReason.ERRORS_FILE_UNCLEAR)
        return Judgement(Do.FIND_REFUSED)
    if counts_all(job, contacts, refused=named):
        return Judgement(Do.CONFIRM)
    if not is_large:
        return Judgement(Do.READ_BACK)
    do = Do.READ_SAMPLE if _saw(job, contacts) else Do.SEND_AGAIN
    return Judgement(do, PendingReason.NOT_APPLIED)


def looked_at(job: Job, contacts: int, *, named: int, wrong: int) -> bool:
    """Whether SendGrid looked at each of the `wrong` contacts of a batch of `contacts`, which the
    errors file doesn't name and which aren't as they were sent.

    It did if the batch was just one contact, or if the job was carried out and its counts leave no
    other place for them: a job that is said to be over may not have processed its file at all.
    """
    if contacts == 1:
        return True
    counted = job.created + job.updated
    is_carried_out = job.status is JobStatus.COMPLETED and counted > 0 and _saw(job, contacts)
    return is_carried_out and counted + named + wrong >= contacts


def refused_by(job: Job) -> int:
    """How many contacts an errored job refused, at least."""
    return max(job.errored, 1)


def counts_all(job: Job, contacts: int, *, refused: int = 0) -> bool:
    """Whether SendGrid says of so many contacts that it created, updated or refused them."""
    return _saw(job, contacts) and job.created + job.updated + refused >= contacts


def _saw(job: Job, contacts: int) -> bool:
    """Whether the job was about so many contacts, as far as it says."""
    return job.requested in (0, contacts)

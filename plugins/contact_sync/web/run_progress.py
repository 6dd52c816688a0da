"""How far a run that is at work has got, and until when each of its jobs is waited for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contact_sync.base.vocabulary import BatchState
from contact_sync.config.deadlines import Deadlines
from contact_sync.reporting.shown_run import ShownRun, SliceProgress
from contact_sync.reporting.waiting import Progress, StateSide, progress
from contact_sync.state.for_people.jobs import BatchJob

WITH_SENDGRID = (BatchState.SUBMITTED, BatchState.UPLOADING)


@dataclass(frozen=True, slots=True)
class Job:
    """A batch with its job; `gives_up`: until when it is waited for, None = it isn't."""

    batch: BatchJob
    gives_up: datetime | None


def job_of(batch: BatchJob, deadlines: Deadlines) -> Job:
    """A batch with its deadline."""
    if batch.submitted_at is None or batch.state not in WITH_SENDGRID:
        return Job(batch, None)
    return Job(batch, batch.submitted_at + timedelta(hours=deadlines.job_hours))


def progress_of(run: ShownRun, slices: SliceProgress, waits: StateSide | None) -> list[Progress]:
    """How far it has read its clients; once there is a plan, how far it has sent its contacts."""
    if run.plan is None:
        return _read(slices, waits) if slices.slices else []
    sending = run.sending
    if not sending.to_send:
        return []
    sent = sending.to_send - sending.waiting
    since, now = (waits.sent_at, waits.now) if waits else (None, None)
    return [
        progress("contacts sent", sent, sending.to_send, None, None),
        progress(
            "contacts whose fate is known", sent - sending.under_way, sending.to_send, since, now
        ),
    ]


def _read(slices: SliceProgress, waits: StateSide | None) -> list[Progress]:
    since, now = (waits.read_at, waits.now) if waits else (None, None)
    return [
        progress("slices read and compared", slices.done, slices.slices, None, None),
        progress("clients read", slices.read, slices.clients, since, now),
    ]

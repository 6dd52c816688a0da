"""Work off a planned batch and whatever is split from it."""

from __future__ import annotations

import time

from contact_sync.run.context import open_run
from contact_sync.run.sending.cut_refused import close_refused, raise_if_given_up
from contact_sync.run.sending.poll_job import raise_if_failed, settle_batch
from contact_sync.run.sending.split import close_family
from contact_sync.run.sending.submit import submit_batch
from contact_sync.state import batches
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

LOOK_SECONDS, FIRST_PAUSE = 2.0, 0.1


def send_batch(sync: Sync, run: Run, root_id: int) -> str | None:
    """Submit and settle what can be; returns the id of the job to wait for, None = all is over.

    Raises like submit_batch and settle_batch, and FatalError when jobs failed as a whole for
    another reason than single contacts. May be repeated, also after a crash.
    """
    while (batch_id := batches.next_open(sync.state, root_id)) is not None:
        submit_batch(sync, run, batch_id)
        if not settle_batch(sync, run, batch_id):
            return str(batches.load_batch(sync.state, batch_id).job_id)
    close_family(sync, run, root_id)
    close_refused(sync, run, root_id)
    raise_if_failed(sync, root_id)
    raise_if_given_up(sync, root_id)
    return None


def send_and_look(sync: Sync, run_id: int, batch_ids: list[int]) -> dict[int, str]:
    """Send batches and look at their jobs for a moment; returns those to wait for, by batch.

    A job that is over within LOOK_SECONDS of its being sent costs no deferral, which takes longer;
    where the account's profile says that jobs take longer, it isn't looked at again. Raises like
    send_batch.
    """
    usual = sync.profile.number("job_seconds") or 0
    patience = LOOK_SECONDS if usual <= LOOK_SECONDS else 0
    pause, until, jobs = FIRST_PAUSE, 0.0, dict.fromkeys(batch_ids, "")
    while jobs:
        found = {one: send_batch(sync, open_run(sync, run_id), one) for one in jobs}
        waiting = {one: job_id for one, job_id in found.items() if job_id is not None}
        if waiting.items() <= jobs.items():
            pause = pause * 1.5
        else:  # one was sent: from here, because to send a large file takes longer than this itself
            pause, until = FIRST_PAUSE, time.monotonic() + patience
        if not waiting or time.monotonic() >= until:
            return waiting
        jobs = waiting
        time.sleep(pause)
    return jobs

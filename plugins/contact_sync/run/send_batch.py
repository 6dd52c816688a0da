"""Work off a planned batch and whatever is split from it."""

from __future__ import annotations

from contact_sync.run.sending.cut_refused import close_refused, raise_if_given_up
from contact_sync.run.sending.poll_job import raise_if_failed, settle_batch
from contact_sync.run.sending.split import close_family
from contact_sync.run.sending.submit import submit_batch
from contact_sync.state import batches
from contact_sync.state.runs import Run
from contact_sync.sync import Sync


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

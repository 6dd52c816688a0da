"""Send one batch, by its lane; removals are sent here.

What is stored before and after each call makes every crash recoverable: `submitting` before it,
`submitted` with the job id after it, `staged` again after a refusal.
"""

from __future__ import annotations

import logging

from contact_sync.base import words
from contact_sync.base.errors import RequestRefused, RetryableError
from contact_sync.base.failpoints import reach
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import REMOVALS, BatchState, Lane, Outcome
from contact_sync.run.approve_plan import exclusions_go_unasked, refuse_unapproved
from contact_sync.run.sending import move_person
from contact_sync.run.sending.around_calls import (
    accept,
    announce,
    settle_unsent,
    storing,
    undone_if_refused,
)
from contact_sync.run.sending.prepare import hold_erased, prepare
from contact_sync.run.sending.removal_targets import contacts_to_remove
from contact_sync.run.sending.send_csv import send_csv
from contact_sync.run.sending.send_json import send_json
from contact_sync.state import batch_contacts, batch_moves, batches, moves, removals
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
MAX_LOOKUP_ROUNDS = 3


def submit_batch(sync: Sync, run: Run, batch_id: int) -> None:
    """Send the batch unless that has happened already; afterwards its job is to be polled.

    Raises RetryableError or FateUnknown (try again), FatalError (a person must act).
    """
    batch = batches.load_batch(sync.state, batch_id)
    if batch.state in (BatchState.STAGED, BatchState.SUBMITTING, BatchState.CREATED):
        if not _goes_unasked(sync, run, batch):
            refuse_unapproved(run)
        if batch.lane in REMOVALS:
            _send_removal(sync, run, batch)
        elif batch.lane is Lane.MOVE:
            _send_move(sync, run, batch)
        else:
            _send_upsert(sync, run, batch)
        batch = batches.load_batch(sync.state, batch_id)
        reach("batch_submitted")
    log.info(
        "Batch %d (%s, %s): %s%s",
        batch_id, words.LANES[batch.lane], count(batch.contacts, "contact"),
        words.BATCH_STATES[batch.state],
        f", job {batch.job_id}" if batch.job_id else "",
    )  # fmt: skip


def _goes_unasked(sync: Sync, run: Run, batch: Batch) -> bool:
    if batch.lane not in REMOVALS or not exclusions_go_unasked(sync.definition, run):
        return False
    with sync.state.transaction() as cursor:
        return removals.only_exclusions(cursor, batch.batch_id)


def _send_upsert(sync: Sync, run: Run, batch: Batch) -> None:
    """Send contacts, but for those that may not be sent any more."""
    hold_erased(sync, run, batch)
    if batch.state is BatchState.SUBMITTING:  # a call that left must be made again as it was
        with sync.state.transaction() as cursor:
            is_any_left = batch_contacts.has_contacts(cursor, batch.batch_id)
    else:
        is_any_left = prepare(sync, run, batch)
    if not is_any_left:
        settle_unsent(sync, run, batch, Outcome.NOTHING_LEFT)
    else:
        (send_csv if batch.lane is Lane.CSV else send_json)(sync, run, batch)


def _send_removal(sync: Sync, run: Run, batch: Batch) -> None:
    """Delete contacts or take them off a list; their ids are looked up just before."""
    for _round in range(MAX_LOOKUP_ROUNDS):
        ids, outcome = contacts_to_remove(sync, run, batch)
        if not ids:
            settle_unsent(sync, run, batch, outcome)
            return
        announced = announce(sync, run, batch)
        reach("delete_announced")
        try:
            with undone_if_refused(sync, run, batch, announced):
                job_id = (
                    sync.sendgrid.delete_contacts(ids)
                    if batch.lane is Lane.DELETE
                    else sync.sendgrid.unlist_contacts(str(batch.list_id), ids)
                )
        except RequestRefused as error:
            if error.status != 404 or batch.lane is Lane.DELETE:
                raise
            if batch.list_id not in sync.sendgrid.lists().values():
                settle_unsent(sync, run, batch, Outcome.LIST_GONE)
                return
            log.info("A contact vanished since its id was looked up; looking again")
            continue
        reach("deleted_not_stored")
        accept(sync, run, batch, job_id, announced)
        return
    raise RetryableError(f"SendGrid doesn't know contacts of batch {batch.batch_id} that it found")


def _send_move(sync: Sync, run: Run, batch: Batch) -> None:
    """Give new contacts what the former ones hold, as far as they don't show it yet."""
    request = move_person.prepare_move(sync, run, batch)
    if request is None:
        with storing(sync, run) as cursor:
            moves.forget(cursor, batch.sync_id, moves.of_batch(cursor, batch.batch_id))
            batch_moves.settle_unsent(cursor, run, batch, Outcome.NOTHING_LEFT)
        return
    announced = announce(sync, run, batch)
    reach("move_announced")
    try:
        with undone_if_refused(sync, run, batch, announced):
            move_person.leave_lists(sync, request.leaving)
            job_id = sync.sendgrid.upsert_contacts(request.body)
    except RequestRefused as error:
        move_person.refused(sync, run, batch, error)
        settle_unsent(sync, run, batches.load_batch(sync.state, batch.batch_id),
                      Outcome.MOVE_REFUSED)  # fmt: skip
        return
    reach("moved_not_stored")
    accept(sync, run, batch, job_id, announced)

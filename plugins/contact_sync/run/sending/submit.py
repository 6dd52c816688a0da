"""Send one batch. What is stored before and after each call makes every crash recoverable:

JSON and delete: `submitting` before the call, `submitted` with the job id after it, `staged` again
after a refusal.
CSV: `created` with the job id, `uploading` before the first byte, `submitted` after the last;
an upload of unknown fate is never repeated into the same import.

A task that Airflow takes for dead may still be at work while its next try is: both have the run's
epoch. So each write also checks what this try has stored itself: its job id, or the moment of its
announcement. A try that finds another one's stops, and never ends a doubt that isn't its own.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO

from isal import igzip

from contact_sync.base import words
from contact_sync.base.errors import (
    FatalError,
    FateUnknown,
    RequestRefused,
    RetryableError,
    SyncError,
)
from contact_sync.base.failpoints import reach
from contact_sync.base.vocabulary import NOTHING_TO_REMOVE, REMOVALS, BatchState, Lane, Outcome
from contact_sync.contacts.json_bodies import json_body
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.payloads import csv_block, csv_field_ids, csv_header
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.approve_plan import refuse_unapproved
from contact_sync.run.context import mapping_of
from contact_sync.run.sending import move_person
from contact_sync.run.sending.prepare import prepare
from contact_sync.run.sending.removal_targets import contacts_to_remove
from contact_sync.sendgrid.api import ImportUpload
from contact_sync.sendgrid.refused_contacts import refused_by_answer
from contact_sync.state import (
    batch_contacts,
    batch_moves,
    batches,
    moves,
    removals,
    runs,
    settling,
)
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
MAX_IMPORT_TRIES = 3
MAX_LOOKUP_ROUNDS = 3
MAX_REFUSAL_ROUNDS = 20  # a 400 names some of the bad addresses; each round drops those named


def submit_batch(sync: Sync, run: Run, batch_id: int) -> None:
    """Send the batch unless that has happened already; afterwards its job is to be polled.

    Raises RetryableError or FateUnknown (try again), FatalError (a person must act).
    """
    batch = batches.load_batch(sync.state, batch_id)
    if batch.state in (BatchState.STAGED, BatchState.SUBMITTING, BatchState.CREATED):
        refuse_unapproved(run)
        if batch.lane in REMOVALS:
            _send_removal(sync, run, batch)
        elif batch.lane is Lane.MOVE:
            _send_move(sync, run, batch)
        elif batch.state is not BatchState.SUBMITTING and not prepare(sync, run, batch):
            _settle_unsent(sync, run, batch, Outcome.NOTHING_LEFT)
        else:
            (_send_csv if batch.lane is Lane.CSV else _send_json)(sync, run, batch)
        batch = batches.load_batch(sync.state, batch_id)
        reach("batch_submitted")
    log.info(
        "Batch %d (%s, %d contacts): %s%s",
        batch_id, words.LANES[batch.lane], batch.contacts, words.BATCH_STATES[batch.state],
        f", job {batch.job_id}" if batch.job_id else "",
    )  # fmt: skip


def _send_json(sync: Sync, run: Run, batch: Batch) -> None:
    mapping = mapping_of(run)
    for _round in range(MAX_REFUSAL_ROUNDS):
        with sync.state.transaction() as cursor:
            contacts = batch_contacts.batch_contacts(cursor, batch.batch_id)
        if not contacts:
            _settle_unsent(sync, run, batch, Outcome.ALL_REFUSED)
            return
        announced = _announce(sync, run, batch)
        reach("upsert_announced")
        try:
            with _undone_if_refused(sync, run, batch, announced):
                job_id = sync.sendgrid.upsert_contacts(
                    json_body(batch_contacts.outbox_rows(contacts), mapping)
                )
        except RequestRefused as error:
            refused = refused_by_answer(error, [row["email"] for row in contacts])
            if not refused:
                raise
            log.warning(
                "SendGrid refused %d addresses of the batch; sending the rest", len(refused)
            )
            with sync.state.transaction(run.fence) as cursor:
                settling.refuse(cursor, batch.batch_id, refused)
            continue
        reach("upserted_not_stored")
        _accept(sync, run, batch, job_id, announced)
        return
    raise FatalError(
        f"SendGrid refused batch {batch.batch_id} {MAX_REFUSAL_ROUNDS} times, naming new addresses "
        f"each time: look at the e-mail addresses in B2CORE"
    )


def _send_removal(sync: Sync, run: Run, batch: Batch) -> None:
    """Delete contacts or take them off a list; their ids are looked up just before."""
    for _round in range(MAX_LOOKUP_ROUNDS):
        ids, outcome = contacts_to_remove(sync, run, batch)
        if not ids:
            _settle_unsent(sync, run, batch, outcome)
            return
        announced = _announce(sync, run, batch)
        reach("delete_announced")
        try:
            with _undone_if_refused(sync, run, batch, announced):
                job_id = (
                    sync.sendgrid.delete_contacts(ids)
                    if batch.lane is Lane.DELETE
                    else sync.sendgrid.unlist_contacts(str(batch.list_id), ids)
                )
        except RequestRefused as error:
            if error.status != 404 or batch.lane is Lane.DELETE:
                raise
            if batch.list_id not in sync.sendgrid.lists().values():
                _settle_unsent(sync, run, batch, Outcome.LIST_GONE)
                return
            log.info("A contact vanished since its id was looked up; looking again")
            continue
        reach("deleted_not_stored")
        _accept(sync, run, batch, job_id, announced)
        return
    raise RetryableError(f"SendGrid doesn't know contacts of batch {batch.batch_id} that it found")


def _send_move(sync: Sync, run: Run, batch: Batch) -> None:
    """Give new contacts what the former ones hold, as far as they don't show it yet."""
    request = move_person.prepare_move(sync, run, batch)
    if request is None:
        with _storing(sync, run) as cursor:
            moves.forget(cursor, batch.sync_id, moves.of_batch(cursor, batch.batch_id))
            batch_moves.settle_unsent(cursor, run, batch, Outcome.NOTHING_LEFT)
        return
    announced = _announce(sync, run, batch)
    reach("move_announced")
    try:
        with _undone_if_refused(sync, run, batch, announced):
            move_person.leave_lists(sync, request.leaving)
            job_id = sync.sendgrid.upsert_contacts(request.body)
    except RequestRefused as error:
        move_person.refused(sync, run, batch, error)
        _settle_unsent(sync, run, batches.load_batch(sync.state, batch.batch_id),
                       Outcome.MOVE_REFUSED)  # fmt: skip
        return
    reach("moved_not_stored")
    _accept(sync, run, batch, job_id, announced)


def _send_csv(sync: Sync, run: Run, batch: Batch) -> None:
    mapping, refused = mapping_of(run), None
    with _rendered(sync, batch, mapping) as (file, size):
        for attempt in range(1, MAX_IMPORT_TRIES + 1):
            target = _create_import(sync, run, batch, mapping, refused)
            try:
                _upload(sync, run, batch, target, file, size)
            except RequestRefused:
                if attempt == MAX_IMPORT_TRIES:
                    raise
                log.warning("The storage refused the upload; starting a new import")
                refused = target.job_id
            else:
                return


def _create_import(
    sync: Sync, run: Run, batch: Batch, mapping: Mapping, refused: str | None
) -> ImportUpload:
    """A new import for the batch; `refused` = this try's former one, whose upload was refused."""
    runs.renew_lease(sync.state, run)
    target = sync.sendgrid.create_import(csv_field_ids(mapping), mapping.list_id)
    reach("import_created_not_stored")
    with _storing(sync, run) as cursor:
        if refused is None:
            batch_moves.created(cursor, run, batch, target.job_id, batch.job_id)
        else:
            batch_moves.created_again(cursor, run, batch, target.job_id, refused)
    reach("import_created")
    return target


def _upload(
    sync: Sync, run: Run, batch: Batch, target: ImportUpload, file: IO[bytes], size: int
) -> None:
    """Send the file to the import, once. Raises RequestRefused when the storage took none of it."""
    with _storing(sync, run) as cursor:
        batch_moves.uploading(cursor, run, batch, target.job_id)
    reach("upload_announced")
    file.seek(0)
    try:
        sync.sendgrid.upload(target, file, size)
    except FateUnknown as error:
        log.warning("%s: polling job %s instead of sending again", error, target.job_id)
        return
    reach("uploaded_not_stored")
    with _storing(sync, run) as cursor:
        batch_moves.uploaded(cursor, run, batch, target.job_id)


@contextmanager
def _rendered(sync: Sync, batch: Batch, mapping: Mapping) -> Iterator[tuple[IO[bytes], int]]:
    """The batch as a gzip CSV in a nameless temporary file, with its size in bytes."""
    with tempfile.TemporaryFile() as file:
        with igzip.IGzipFile(fileobj=file, mode="wb", compresslevel=1) as gz:
            gz.write((",".join(csv_header(mapping)) + "\n").encode())
            for payloads in batch_contacts.batch_blocks(sync.state, batch.batch_id):
                gz.write(csv_block(payloads))
        yield file, file.tell()


@contextmanager
def _storing(sync: Sync, run: Run) -> Iterator[Cursor]:
    """A transaction that checks the fence, after proving the lease and extending it."""
    runs.renew_lease(sync.state, run)
    with sync.state.transaction(run.fence) as cursor:
        yield cursor


def _announce(sync: Sync, run: Run, batch: Batch) -> datetime:
    """Store that a call which may not be repeated is about to leave; returns the moment."""
    with _storing(sync, run) as cursor:
        return batch_moves.announce(cursor, run, batch)


@contextmanager
def _undone_if_refused(sync: Sync, run: Run, batch: Batch, announced: datetime) -> Iterator[None]:
    """A definite refusal of a first try proves that nothing is under way."""
    try:
        yield
    except FateUnknown:
        raise
    except SyncError:
        if _is_first_try(batch):
            with _storing(sync, run) as cursor:
                batch_moves.refused(cursor, run, batch, announced)
        raise


def _accept(sync: Sync, run: Run, batch: Batch, job_id: str, announced: datetime) -> None:
    first_try = _is_first_try(batch)
    with _storing(sync, run) as cursor:
        batch_moves.accepted(cursor, run, batch, job_id, announced, first_try=first_try)


def _is_first_try(batch: Batch) -> bool:
    """Whether no call of unknown fate had been announced when this try began."""
    return batch.state is BatchState.STAGED


def _settle_unsent(sync: Sync, run: Run, batch: Batch, outcome: Outcome) -> None:
    """Settle a batch of which nothing has to be sent, in one transaction."""
    with _storing(sync, run) as cursor:
        batch_moves.settle_unsent(cursor, run, batch, outcome)
        if batch.lane in REMOVALS and outcome in NOTHING_TO_REMOVE:
            removals.removed(cursor, batch.lane, batch.batch_id)

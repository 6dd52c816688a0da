"""Send one batch. What is stored before and after each call makes every crash recoverable:

JSON and delete: `submitting` before the call, `submitted` with the job id after it, `staged` again
after a refusal.
CSV: `created` with the job id, `uploading` before the first byte, `submitted` after the last;
an upload of unknown fate is never repeated into the same import.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from isal import igzip

from contact_sync.errors import (
    FatalError,
    FateUnknown,
    Fenced,
    RequestRefused,
    RetryableError,
    SyncError,
)
from contact_sync.failpoints import reach
from contact_sync.mapping import Mapping
from contact_sync.models import REMOVALS, BatchState, Lane
from contact_sync.payloads import csv_field_ids, csv_header, csv_rows, json_body
from contact_sync.refused_contacts import refused_by_answer
from contact_sync.state import batches, removals, runs, settling
from contact_sync.state.batches import NOW, Batch
from contact_sync.state.database import Cursor
from contact_sync.state.runs import Run
from contact_sync.steps.approve import refuse_unapproved
from contact_sync.steps.prepare import prepare
from contact_sync.steps.start import Sync, mapping_of

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
        elif batch.state is not BatchState.SUBMITTING and not prepare(sync, run, batch):
            _settle_unsent(sync, run, batch, "nothing left to send")
        else:
            (_send_csv if batch.lane is Lane.CSV else _send_json)(sync, run, batch)
        batch = batches.load_batch(sync.state, batch_id)
        reach("batch_submitted")
    log.info(
        "Batch %d (%s, %d contacts): %s%s",
        batch_id, batch.lane, batch.contacts, batch.state,
        f", job {batch.job_id}" if batch.job_id else "",
    )  # fmt: skip


def _send_json(sync: Sync, run: Run, batch: Batch) -> None:
    mapping = mapping_of(run)
    for _round in range(MAX_REFUSAL_ROUNDS):
        with sync.state.transaction() as cursor:
            contacts = batches.batch_contacts(cursor, batch.batch_id)
        if not contacts:
            _settle_unsent(sync, run, batch, "all refused")
            return
        _mark_submitting(sync, run, batch)
        reach("upsert_announced")
        try:
            with _undone_if_refused(sync, run, batch):
                job_id = sync.sendgrid.upsert_contacts(
                    json_body(batches.outbox_rows(contacts), mapping)
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
        _mark_submitted(sync, run, batch, job_id)
        return
    raise FatalError(
        f"SendGrid refused batch {batch.batch_id} {MAX_REFUSAL_ROUNDS} times, naming new addresses "
        f"each time: look at the e-mail addresses in B2CORE"
    )


def _send_removal(sync: Sync, run: Run, batch: Batch) -> None:
    """Delete contacts or take them off a list; their ids are looked up just before."""
    with sync.state.transaction() as cursor:
        emails = removals.of_batch(cursor, batch.batch_id)
    for _round in range(MAX_LOOKUP_ROUNDS):
        ids = sorted(sync.sendgrid.contact_ids(emails).values()) if emails else []
        if not ids:
            _settle_unsent(sync, run, batch, "nothing there")
            return
        _mark_submitting(sync, run, batch)
        reach("delete_announced")
        try:
            with _undone_if_refused(sync, run, batch):
                job_id = (
                    sync.sendgrid.delete_contacts(ids)
                    if batch.lane is Lane.DELETE
                    else sync.sendgrid.unlist_contacts(str(batch.list_id), ids)
                )
        except RequestRefused as error:
            if error.status != 404 or batch.lane is Lane.DELETE:
                raise
            if batch.list_id not in sync.sendgrid.lists().values():
                _settle_unsent(sync, run, batch, "the list is gone")
                return
            log.info("A contact vanished since its id was looked up; looking again")
            continue
        reach("deleted_not_stored")
        _mark_submitted(sync, run, batch, job_id)
        return
    raise RetryableError(f"SendGrid doesn't know contacts of batch {batch.batch_id} that it found")


def _settle_unsent(sync: Sync, run: Run, batch: Batch, outcome: str) -> None:
    """Settle a batch of which nothing has to be sent, in one transaction."""

    def write(cursor: Cursor) -> None:
        if batch.lane is Lane.DELETE:
            removals.deleted(cursor, batch.batch_id)
        elif batch.lane is Lane.UNLIST:
            removals.unlisted(cursor, batch.batch_id)

    _advance(
        sync, run, batch, BatchState.SETTLED, write=write, outcome=outcome, settled_at=NOW
    )  # fmt: skip


def _send_csv(sync: Sync, run: Run, batch: Batch) -> None:
    mapping = mapping_of(run)
    with _rendered(sync, batch, mapping) as (file, size):
        for attempt in range(MAX_IMPORT_TRIES):
            target = sync.sendgrid.create_import(csv_field_ids(mapping), mapping.list_id)
            reach("import_created_not_stored")
            _advance(
                sync, run, batch, BatchState.CREATED,
                BatchState.CREATED, BatchState.UPLOADING, job_id=target.job_id,
            )  # fmt: skip
            reach("import_created")
            _advance(sync, run, batch, BatchState.UPLOADING, submitted_at=NOW, fate_unknown_at=NOW)
            reach("upload_announced")
            file.seek(0)
            try:
                sync.sendgrid.upload(target, file, size)
            except RequestRefused:
                if attempt == MAX_IMPORT_TRIES - 1:
                    raise
                log.warning("The storage refused the upload; starting a new import")
                continue
            except FateUnknown as error:
                log.warning("%s: polling job %s instead of sending again", error, target.job_id)
                return
            reach("uploaded_not_stored")
            _advance(sync, run, batch, BatchState.SUBMITTED, fate_unknown_at=None)
            return


@contextmanager
def _rendered(sync: Sync, batch: Batch, mapping: Mapping) -> Iterator[tuple[IO[bytes], int]]:
    """The batch as a gzip CSV in a nameless temporary file, with its size in bytes."""
    with tempfile.TemporaryFile() as file:
        with igzip.IGzipFile(fileobj=file, mode="wb", compresslevel=1) as gz:
            gz.write((",".join(csv_header(mapping)) + "\n").encode())
            for emails, payloads in batches.batch_blocks(sync.state, batch.batch_id):
                gz.write(csv_rows(emails, payloads, mapping))
        yield file, file.tell()


def _mark_submitting(sync: Sync, run: Run, batch: Batch) -> None:
    _advance(
        sync, run, batch, BatchState.SUBMITTING, BatchState.SUBMITTING,
        submitted_at=NOW, fate_unknown_at=NOW,
    )  # fmt: skip


@contextmanager
def _undone_if_refused(sync: Sync, run: Run, batch: Batch) -> Iterator[None]:
    """A definite refusal of a first try proves that nothing is under way: back to `staged`."""
    try:
        yield
    except FateUnknown:
        raise
    except SyncError:
        if batch.state is BatchState.STAGED:
            _advance(sync, run, batch, BatchState.STAGED, submitted_at=None, fate_unknown_at=None)
        raise


def _mark_submitted(sync: Sync, run: Run, batch: Batch, job_id: str) -> None:
    """A first try's answer ends the doubt; after an unknown first try, doubt stays for Q."""
    doubt: dict[str, Any] = (
        {} if batch.state is BatchState.SUBMITTING else {"fate_unknown_at": None}
    )
    _advance(sync, run, batch, BatchState.SUBMITTED, job_id=job_id, **doubt)


_ALLOWED = {
    BatchState.STAGED: (BatchState.SUBMITTING,),
    BatchState.SUBMITTING: (BatchState.STAGED,),
    BatchState.CREATED: (BatchState.STAGED,),
    BatchState.UPLOADING: (BatchState.CREATED,),
    BatchState.SUBMITTED: (BatchState.SUBMITTING, BatchState.UPLOADING),
    BatchState.SETTLED: (BatchState.STAGED, BatchState.SUBMITTING, BatchState.CREATED),
}


def _advance(
    sync: Sync,
    run: Run,
    batch: Batch,
    to: BatchState,
    *also: BatchState,
    write: Callable[[Cursor], None] | None = None,
    **values: Any,
) -> None:
    """Store the next state, and what belongs to it, under the fence.

    Raises Fenced when someone else moved the batch.
    """
    runs.renew_lease(sync.state, run)
    with sync.state.transaction(run.fence) as cursor:
        if not batches.advance(cursor, batch, to, came_from=(*_ALLOWED[to], *also), **values):
            raise Fenced(f"Batch {batch.batch_id} was moved by another process; this one stops")
        if write is not None:
            write(cursor)

"""Send a batch as a CSV import: create it, upload the file.

`created` with the job id, `uploading` before the first byte, `submitted` after the last; an upload
of unknown fate is never repeated into the same import. The import's creation names no contact: what
SendGrid refuses of it is the set-up's fault. The storage knows no contacts either, but a size.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from isal import igzip

from contact_sync.base.errors import FateUnknown, RequestRefused
from contact_sync.base.failpoints import reach
from contact_sync.base.vocabulary import Lane
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.payloads import csv_block, csv_field_ids, csv_header
from contact_sync.run.context import mapping_of
from contact_sync.run.sending import cut_refused
from contact_sync.run.sending.around_calls import storing
from contact_sync.run.sending.new_fields import once_fields_are_known
from contact_sync.sendgrid.api import ImportUpload
from contact_sync.sendgrid.refusal_causes import Cause, advice, cause_of
from contact_sync.sendgrid.refused_contacts import complaints
from contact_sync.state import batch_contacts, batch_moves, leases, runs
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
MAX_IMPORT_TRIES = 3


def send_csv(sync: Sync, run: Run, batch: Batch) -> None:
    """Upload the batch, or cut it into smaller ones if the file is too large for the storage."""
    mapping, refused = mapping_of(run), None
    with _rendered(sync, batch, mapping) as (file, size):
        too_large = cut_refused.is_known_as_too_large(sync, run, Lane.CSV, size)
        if too_large and cut_refused.cut_to_size(sync, run, batch, size):
            return
        for attempt in range(1, MAX_IMPORT_TRIES + 1):
            target = _create_import(sync, run, batch, mapping, refused)
            try:
                _upload(sync, run, batch, target, file, size)
            except RequestRefused as error:
                if cause_of(error, complaints(error, ())) is Cause.TOO_LARGE:
                    cut_refused.cut_refused_file(sync, run, batch, size, error)
                    return
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
    leases.renew_lease(sync.state, run)
    try:
        target = once_fields_are_known(
            sync, run, mapping,
            lambda: sync.sendgrid.create_import(csv_field_ids(mapping), mapping.list_id),
        )  # fmt: skip
    except RequestRefused as error:
        raise error.with_advice(advice(error, complaints(error, ()))) from None
    reach("import_created_not_stored")
    with storing(sync, run) as cursor:
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
    with storing(sync, run) as cursor:
        batch_moves.uploading(cursor, run, batch, target.job_id)
    reach("upload_announced")
    file.seek(0)
    try:
        sync.sendgrid.upload(target, file, size)
    except FateUnknown as error:
        log.warning("%s: polling job %s instead of sending again", error, target.job_id)
        return
    reach("uploaded_not_stored")
    with storing(sync, run) as cursor:
        batch_moves.uploaded(cursor, run, batch, target.job_id)
        runs.take_size(cursor, run.run_id, Lane.CSV, size)


@contextmanager
def _rendered(sync: Sync, batch: Batch, mapping: Mapping) -> Iterator[tuple[IO[bytes], int]]:
    """The batch as a gzip CSV in a nameless temporary file, with its size in bytes."""
    with tempfile.TemporaryFile() as file:
        with igzip.IGzipFile(fileobj=file, mode="wb", compresslevel=1) as gz:
            gz.write((",".join(csv_header(mapping)) + "\n").encode())
            for payloads in batch_contacts.csv_payloads(sync.state, batch.batch_id):
                gz.write(csv_block(payloads))
        yield file, file.tell()

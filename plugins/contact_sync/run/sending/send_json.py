"""Send a batch as a JSON upsert, and go on without what SendGrid refuses of it.

`submitting` before the call, `submitted` with the job id after it, `staged` again after a refusal.
One bad contact makes SendGrid refuse the whole call. Contacts that it names leave the batch, or
lose the value that it names; if it names none, the batch is cut (`cut_refused`).
"""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial

from contact_sync.base.errors import RequestRefused
from contact_sync.base.failpoints import reach
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import FieldType, Lane, Outcome
from contact_sync.contacts.json_bodies import json_body
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.payloads import values_of
from contact_sync.contacts.refused_fields import FieldNames
from contact_sync.contacts.refused_values import Contact
from contact_sync.run.context import mapping_of
from contact_sync.run.sending import cut_refused
from contact_sync.run.sending.around_calls import (
    accept,
    announce,
    settle_unsent,
    storing,
    undone_if_refused,
)
from contact_sync.run.sending.new_fields import once_fields_are_known
from contact_sync.run.sending.refused_contacts import RefusedContacts, Said, refused_contacts
from contact_sync.sendgrid.refusal_causes import Cause, advice, cause_of
from contact_sync.sendgrid.refused_contacts import Complaint, complaints
from contact_sync.state import batch_contacts, batches, confirming, refused_values, settling
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
MAX_REFUSAL_ROUNDS = 20
"""Refusals by name that one batch gets; then it is cut in two, and each half gets as many."""
MAX_SUSPECTS = 3


def send_json(sync: Sync, run: Run, batch: Batch) -> None:
    """Send the batch, or leave it cut into parts that are to be sent.

    Raises RequestRefused when the set-up is at fault, else as the calls do.
    """
    mapping = mapping_of(run)
    for refused in range(1, MAX_REFUSAL_ROUNDS + 2):
        with sync.state.transaction() as cursor:
            block = batch_contacts.batch_columns(cursor, batch.batch_id)
        if block is None:
            settle_unsent(sync, run, batch, Outcome.ALL_REFUSED)
            return
        body = json_body(block.payloads, block.clears, mapping)
        too_large = cut_refused.is_known_as_too_large(sync, run, Lane.JSON, len(body))
        if too_large and cut_refused.cut_to_size(sync, run, batch, len(body)):
            return
        try:
            upsert = partial(_upsert, sync, run, batch, body)
            job_id, announced = once_fields_are_known(sync, run, mapping, upsert)
        except RequestRefused as error:
            if not _goes_on(sync, run, batch, block.contacts(), len(body), error, refused):
                return
            continue
        reach("upserted_not_stored")
        accept(sync, run, batch, job_id, announced, len(body))
        return
    raise AssertionError("the last round is followed by a cut")


def _upsert(sync: Sync, run: Run, batch: Batch, body: bytes) -> tuple[str, datetime]:
    announced = announce(sync, run, batch)
    reach("upsert_announced")
    with undone_if_refused(sync, run, batch, announced):
        return sync.sendgrid.upsert_contacts(body), announced


def _goes_on(
    sync: Sync,
    run: Run,
    batch: Batch,
    contacts: list[Contact],
    size: int,
    error: RequestRefused,
    refused: int,
) -> bool:
    """Deal with a refusal, the `refused`th one, of a request of `size` bytes with these contacts;
    whether what is left of the batch is sent again.

    The answer is about what was sent: another try of the same task may have taken contacts out of
    the batch since, so that others stand at the places, or only one is left.
    """
    found = complaints(error, [row.email for row in contacts])
    cause = cause_of(error, found)
    if cause is Cause.UNKNOWN_FIELD:  # it has been waited for
        raise error
    if cause is Cause.SETUP:
        raise error.with_advice(advice(error, found))
    mapping = mapping_of(run)
    judged = refused_contacts(_said(contacts, found, mapping), mapping, sync.hashing())
    rejected = judged.rejected | judged.groundless
    if rejected or judged.left_out:
        _write(sync, run, batch, RefusedContacts(rejected, judged.left_out, {}), mapping)
        log.warning("SendGrid refused %s of batch %d, and values of %s; sending the rest",
                    count(len(rejected), "contact"), batch.batch_id,
                    f"{len(judged.left_out):,}")  # fmt: skip
        if refused <= MAX_REFUSAL_ROUNDS:
            return True
    cut_refused.cut_refused(
        sync, run, batch, refused, error,
        apart=_suspects(contacts, found),
        too_large=size if cause is Cause.TOO_LARGE else None,
        alone=_values(contacts[0], mapping) if len(contacts) == 1 else None,
    )  # fmt: skip
    return False


def _said(contacts: list[Contact], found: list[Complaint], mapping: Mapping) -> list[Said]:
    """What is certainly said of a contact: its address is named; or it is the only one, and a field
    is named. Of a single contact without either the others' success has to tell."""
    if len(contacts) == 1:
        names = FieldNames(mapping)
        found = [one for one in found if one.email or names.named(one.said, one.where)]
        return [Said(contacts[0], one.said, one.where) for one in found]
    named = {one.email for one in found if one.email}
    by_email = {row.email: row for row in contacts if row.email in named}
    return [Said(by_email[one.email], one.said, one.where) for one in found if one.email]


def _values(of: Contact, mapping: Mapping) -> list[str]:
    return [of.email, *values_of(of.payload, mapping)]


def _suspects(contacts: list[Contact], found: list[Complaint]) -> list[int]:
    """Clients whose place SendGrid gives; the places needn't be the request's."""
    places = {one.place for one in found if one.place is not None}
    if len(contacts) == 1 or len(places) > MAX_SUSPECTS:
        return []
    return sorted(contacts[place].client_id for place in places)


def _write(sync: Sync, run: Run, batch: Batch, judged: RefusedContacts, mapping: Mapping) -> None:
    with storing(sync, run) as cursor:
        if judged.left_out:
            settling.leave_out(
                cursor, batch.batch_id, judged.left_out, mapping.mask(FieldType.TEXT)
            )
            refused_values.remember(cursor, (run.sync_id, run.run_id), judged.left_out)
        if judged.rejected:
            n = confirming.refuse(cursor, batch.batch_id, judged.rejected)
            batches.count_taken_out(cursor, batch.batch_id, refused=n)
        reach("refusals_uncommitted")

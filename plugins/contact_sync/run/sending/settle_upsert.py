"""Apply what the job of an upsert or import did: confirm, reject, leave values out, send again."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

import numpy as np

from contact_sync.base.errors import ConfigError, RetryableError
from contact_sync.base.vocabulary import (
    Ending,
    FieldType,
    Job,
    JobStatus,
    Lane,
    Outcome,
    PendingReason,
    Refusal,
    Refused,
)
from contact_sync.contacts.json_bodies import cut_json_batches
from contact_sync.contacts.refused_values import LeftOut
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.context import mapping_of
from contact_sync.run.sending.ending import finish, postpone
from contact_sync.run.sending.judge import Do, counts_all, judge, refused_by
from contact_sync.run.sending.refused_contacts import Said, Verdicts, verdicts
from contact_sync.run.sending.split import postpone_and_split
from contact_sync.run.sending.verify import not_applied
from contact_sync.sendgrid.errors_file import read_errors
from contact_sync.sendgrid.refusal_causes import is_unknown_field
from contact_sync.state import (
    batch_contacts,
    families,
    ledger,
    refused_values,
    runs,
    settling,
)
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
MAX_VALUE_ROUNDS = 8
"""So often contacts of a family are sent again without a value; the rest is for the next run."""
MAX_LEFT_OUT = 100_000
"""Contacts of a batch that are sent again without a value at once; the others wait for the next."""
CHUNK = 10_000  # refused contacts whose payloads are in memory at once
NOBODY = Verdicts({}, [], {})


def settle_upsert(sync: Sync, run: Run, batch: Batch, job: Job) -> None:
    """Settle a batch whose job is over."""
    if job.status is JobStatus.COMPLETED and counts_all(job, batch.contacts):
        _settle(sync, run, batch, job, NOBODY)
        return
    with sync.state.transaction() as cursor:
        contacts = batch_contacts.count_contacts(cursor, batch.batch_id)
    judged, late = _refused(sync, batch, job)
    named = judged.emails | late
    judgement = judge(job, contacts, len(named))
    match judgement.do:
        case Do.CONFIRM:
            _settle(sync, run, batch, job, judged, late)
        case Do.READ_BACK | Do.READ_SAMPLE:
            log.info("Batch %d: %d contacts, the job's counts: %s",
                     batch.batch_id, contacts, job.counts())  # fmt: skip
            wrong = not_applied(sync, run, batch, believe=True) - named
            if wrong and judgement.do is Do.READ_SAMPLE:
                _fail(sync, run, batch, job, judgement.reason)
            else:
                _settle(sync, run, batch, job, judged, wrong | late)
        case Do.FIND_REFUSED:
            wrong = not_applied(sync, run, batch, believe=False) - named
            if len(wrong) + len(named) == refused_by(job):
                nameless = dict.fromkeys(wrong, Refused(Refusal.REFUSED_BY_SENDGRID))
                judged = judged._replace(rejected=judged.rejected | nameless)
                wrong = set()
            _settle(sync, run, batch, job, judged, wrong | late)
        case Do.SEND_AGAIN:
            _fail(sync, run, batch, job, judgement.reason)


def _refused(sync: Sync, batch: Batch, job: Job) -> tuple[Verdicts, set[str]]:
    """The batch's contacts that the job's errors file names; apart from them those that it refused
    for a field that is too new for it: these are sent again."""
    if job.status is JobStatus.COMPLETED or not job.errors_url:
        return NOBODY, set()
    try:
        found = read_errors(sync.sendgrid.errors_file(job)).items()
    except (RetryableError, ConfigError) as error:  # ConfigError: a host that nobody trusts yet
        log.warning("%s; looking for the refused contacts otherwise", error)
        return NOBODY, set()
    mapping = mapping_of(runs.load_run(sync.state, batch.run_id))
    judged, late = NOBODY, set[str]()
    for said in _chunks(found):
        with sync.state.transaction() as cursor:
            contacts = batch_contacts.contacts_among(cursor, batch.batch_id, said)
        late |= {one.email for one in contacts if is_unknown_field(said[one.email])}
        refused = (Said(one, said[one.email]) for one in contacts if one.email not in late)
        more = verdicts(refused, mapping)
        is_full = len(judged.left_out) + len(more.left_out) > MAX_LEFT_OUT
        judged = judged.with_more(more.put_off() if is_full else more)
    named = len(judged.emails | late)
    log.info("The errors file names %d of %d refused contacts", named, job.errored)
    return judged, late


def _chunks(entries: Iterable[tuple[str, str]]) -> Iterator[dict[str, str]]:
    rest = iter(entries)
    while chunk := dict(islice(rest, CHUNK)):
        yield chunk


def _settle(
    sync: Sync,
    run: Run,
    batch: Batch,
    job: Job,
    judged: Verdicts,
    wrong: Collection[str] = (),
) -> None:
    """Confirm the batch's contacts but for the refused ones and those that aren't as sent."""

    new = 0

    def write(cursor: Cursor) -> Ending:
        nonlocal new
        again, unclear = _values_left_out(cursor, run, batch, judged)
        late, given_up = settling.postpone_not_applied(cursor, batch.batch_id, wrong)
        held, never = settling.postpone_not_applied(
            cursor, batch.batch_id, unclear, PendingReason.VALUE_REFUSED
        )
        known, new, rejected = settling.confirm(
            cursor, batch.batch_id, judged.rejected, [one.email for one in again]
        )
        _stage_again(cursor, batch, again)
        numbers = {
            "confirmed": known + new, "rejected": rejected + given_up + never,
            "not_applied": late + held,
        }  # fmt: skip
        return Ending(Outcome.APPLIED, numbers | ({"again": len(again)} if again else {}))

    finish(sync, run, batch, job, write)
    if new > ledger.MANY:
        ledger.analyze_ledger(sync.state)


def _values_left_out(
    cursor: Cursor, run: Run, batch: Batch, judged: Verdicts
) -> tuple[list[LeftOut], list[str]]:
    """Note the values that SendGrid refused; returns the contacts that are sent again without them
    at once, and the addresses of those that the next run sends."""
    unclear = list(judged.groundless)
    if not judged.left_out:
        return [], unclear
    refused_values.remember(cursor, (run.sync_id, run.run_id), judged.left_out)
    rounds = sum(member.again > 0 for member in families.members(cursor, batch.root))
    if batch.run_id != run.run_id or rounds >= MAX_VALUE_ROUNDS:
        return [], [*unclear, *(one.email for one in judged.left_out)]
    texts = mapping_of(run).mask(FieldType.TEXT)
    settling.leave_out(cursor, batch.batch_id, judged.left_out, texts)
    return judged.left_out, unclear


def _stage_again(cursor: Cursor, batch: Batch, again: list[LeftOut]) -> None:
    """Batches of the contacts that are sent again: by JSON, which can clear what they hold. No
    other contact of the batch is left, so that a range of ids holds just these."""
    if not again:
        return
    sizes = batch_contacts.sizes(cursor, batch.run_id, [one.client_id for one in again])
    ids = list(sizes)
    for start, stop in cut_json_batches(np.array(list(sizes.values()), np.int64)):
        bounds = ids[start], ids[stop - 1]
        families.create_further(cursor, batch, Lane.JSON, stop - start, bounds)


def _fail(sync: Sync, run: Run, batch: Batch, job: Job, reason: PendingReason) -> None:
    """Nothing can be confirmed: try the contacts in other batches, or in the next run."""
    if batch.run_id != run.run_id:
        postpone(sync, run, batch, reason, job)
        return
    finish(sync, run, batch, job, lambda cursor: postpone_and_split(cursor, run, batch, reason))

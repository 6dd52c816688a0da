"""Apply what the job of an upsert or import did: confirm, reject, leave values out, send again."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from threading import BoundedSemaphore

import numpy as np

from contact_sync.base.errors import ConfigError, RetryableError
from contact_sync.base.json_columns import JobCounts
from contact_sync.base.numbers import count
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
from contact_sync.contacts.refusals import Refusals
from contact_sync.contacts.refused_values import LeftOut
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.context import mapping_of
from contact_sync.run.sending.ending import finish, postpone
from contact_sync.run.sending.judge import Do, counts_all, judge, looked_at, refused_by
from contact_sync.run.sending.look_before import held_after
from contact_sync.run.sending.refused_contacts import RefusedContacts, Said, refused_contacts
from contact_sync.run.sending.split import postpone_and_split
from contact_sync.run.sending.verify import not_applied
from contact_sync.run.unpacking import unpack_unless
from contact_sync.sendgrid.errors_file import read_errors
from contact_sync.sendgrid.refusal_causes import is_unknown_field
from contact_sync.state import (
    batch_contacts,
    confirming,
    families,
    ledger,
    moves,
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
WRITING = BoundedSemaphore(2)
"""So many batches are written into the ledger at once. A table grows by few pages at a time, under
a lock for which four writers wait half of their time. Waited for before the transaction begins, so
that nobody who waits holds what a writer needs; statements have a time limit."""
CHUNK = 10_000  # refused contacts whose payloads are in memory at once


@dataclass(slots=True)
class Named:
    """Whom a job's errors file names: contacts that are rejected; that lose a value; the addresses
    of those that are refused for a value that they don't have, and of those that are refused for a
    field that is too new. `everybody`: all of them; `count`: how many contacts of the batch."""

    rejected: Refusals = field(default_factory=Refusals)
    left_out: list[LeftOut] = field(default_factory=list)
    groundless: set[str] = field(default_factory=set)
    late: set[str] = field(default_factory=set)
    everybody: Refusals = field(default_factory=Refusals)
    count: int = 0

    def add(self, judged: RefusedContacts, late: set[str]) -> None:
        """Take in some more."""
        if len(self.left_out) + len(judged.left_out) > MAX_LEFT_OUT:
            judged = judged.put_off()
        self.rejected.add(judged.rejected.items())
        self.left_out += judged.left_out
        self.groundless |= judged.groundless.keys()
        self.late |= late
        emails = judged.emails | late
        self.everybody.add((email, Refused(Refusal.REFUSED_BY_SENDGRID)) for email in emails)

    def finish(self) -> None:
        """Each contact once, though the file may name it twice: what rejects it counts."""
        others = {one.email: one for one in self.left_out}
        rejected = (others.keys() | self.groundless | self.late) & set(self.rejected.emails())
        self.left_out = [one for email, one in others.items() if email not in rejected]
        self.late -= rejected
        self.groundless -= rejected | self.late | others.keys()


def settle_upsert(sync: Sync, run: Run, batch: Batch, job: Job) -> None:
    """Settle a batch whose job is over."""
    is_as_usual = job.status is JobStatus.COMPLETED and counts_all(job, batch.contacts)
    if batch.lane is Lane.CSV:
        unpack_unless(sync, run, batch, applied=is_as_usual and job.created >= batch.contacts)
    if is_as_usual:
        _settle(sync, run, batch, job, Named())
    else:
        _settle_as_judged(sync, run, batch, job)


def _settle_as_judged(sync: Sync, run: Run, batch: Batch, job: Job) -> None:
    with sync.state.transaction() as cursor:
        contacts = batch_contacts.count_contacts(cursor, batch.batch_id)
    named = _refused(sync, batch, job)
    judgement = judge(job, contacts, named.count)
    match judgement.do:
        case Do.CONFIRM:
            _settle(sync, run, batch, job, named)
        case Do.READ_BACK | Do.READ_SAMPLE:
            log.info("Batch %d: %s, the job's counts: %s",
                     batch.batch_id, count(contacts, "contact"),
                     JobCounts.of(job).to_json())  # fmt: skip
            wrong = not_applied(sync, run, batch, believe=True)
            wrong.difference_update(named.everybody.emails())
            if wrong and judgement.do is Do.READ_SAMPLE:
                _fail(sync, run, batch, job, judgement.reason)
            else:
                _settle(sync, run, batch, job, named, wrong)
        case Do.FIND_REFUSED:
            wrong = not_applied(sync, run, batch, believe=False)
            wrong.difference_update(named.everybody.emails())
            if len(wrong) + named.count == refused_by(job):
                nameless = Refused(Refusal.REFUSED_BY_SENDGRID)
                named.rejected.add((email, nameless) for email in wrong)
                wrong = set()
            _settle(sync, run, batch, job, named, wrong)
        case Do.SEND_AGAIN:
            _fail(sync, run, batch, job, judgement.reason)


def _refused(sync: Sync, batch: Batch, job: Job) -> Named:
    """The batch's contacts that the job's errors file names."""
    if job.status is JobStatus.COMPLETED or not job.errors_url:
        return Named()
    mapping = mapping_of(runs.load_run(sync.state, batch.run_id))
    named, hashing = Named(), sync.hashing()
    try:
        with tempfile.TemporaryFile() as file:
            sync.sendgrid.errors_file(job, file)
            for said in _chunks(read_errors(file)):
                with sync.state.transaction() as cursor:
                    contacts = batch_contacts.contacts_among(cursor, batch.batch_id, said)
                late = {one.email for one in contacts if is_unknown_field(said[one.email])}
                refused = (Said(one, said[one.email]) for one in contacts if one.email not in late)
                named.add(refused_contacts(refused, mapping, hashing), late)
    except (RetryableError, ConfigError) as error:  # ConfigError: a host that isn't trusted yet
        log.warning("%s; looking for the refused contacts otherwise", error)
        return Named()
    named.finish()
    with sync.state.transaction() as cursor:
        named.count = confirming.count_refused(cursor, batch.batch_id, named.everybody)
    log.info(
        "The errors file names %s of %s",
        f"{named.count:,}",
        count(job.errored, "refused contact"),
    )
    return named


def _chunks(entries: Iterable[tuple[str, str]]) -> Iterator[dict[str, str]]:
    rest = iter(entries)
    while chunk := dict(islice(rest, CHUNK)):
        yield chunk


def _settle(
    sync: Sync,
    run: Run,
    batch: Batch,
    job: Job,
    named: Named,
    wrong: Collection[str] = (),
) -> None:
    """Confirm the batch's contacts but for the refused ones and those that aren't as sent."""

    new = 0
    seen = bool(wrong) and _looked_at(sync, batch, job, named, wrong)
    held_over = held_after(sync, run, batch, job)
    held_over.difference_update(named.everybody.emails(), wrong)

    def write(cursor: Cursor) -> Ending:
        nonlocal new
        again, unclear = _values_left_out(cursor, run, batch, named)
        late = given_up = 0
        for emails, is_looked_at, reason in (
            (wrong, seen, PendingReason.NOT_APPLIED),
            (held_over, False, PendingReason.NOT_APPLIED),
            (named.late, True, PendingReason.NOT_APPLIED),
            (unclear, True, PendingReason.VALUE_REFUSED),
        ):
            pending, never = settling.postpone_not_applied(
                cursor, batch.batch_id, emails, reason, looked_at=is_looked_at
            )
            late, given_up = late + pending, given_up + never
        known, new, rejected = confirming.confirm(
            cursor, batch.batch_id, named.rejected, [one.email for one in again]
        )
        _stage_again(cursor, batch, again)
        if batch.run_id == run.run_id and moves.any_noted(cursor, batch.sync_id):
            moves.create_batches(cursor, (batch.sync_id, batch.run_id), batch)
        numbers = {
            "confirmed": known + new, "rejected": rejected + given_up, "not_applied": late,
        }  # fmt: skip
        return Ending(Outcome.APPLIED, numbers | ({"again": len(again)} if again else {}))

    with WRITING:
        finish(sync, run, batch, job, write)
    if new > ledger.MANY:
        ledger.analyze_ledger(sync.state)


def _looked_at(sync: Sync, batch: Batch, job: Job, named: Named, wrong: Collection[str]) -> bool:
    with sync.state.transaction() as cursor:
        contacts = batch_contacts.count_contacts(cursor, batch.batch_id)
    return looked_at(job, contacts, named=named.count, wrong=len(wrong))


def _values_left_out(
    cursor: Cursor, run: Run, batch: Batch, named: Named
) -> tuple[list[LeftOut], list[str]]:
    """Note the values that SendGrid refused; returns the contacts that are sent again without them
    at once, and the addresses of those that the next run sends."""
    unclear = list(named.groundless)
    if not named.left_out:
        return [], unclear
    refused_values.remember(cursor, (run.sync_id, run.run_id), named.left_out)
    rounds = sum(member.again > 0 for member in families.members(cursor, batch.root))
    if batch.run_id != run.run_id or rounds >= MAX_VALUE_ROUNDS:
        return [], [*unclear, *(one.email for one in named.left_out)]
    texts = mapping_of(run).mask(FieldType.TEXT)
    settling.leave_out(cursor, batch.batch_id, named.left_out, texts)
    return named.left_out, unclear


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

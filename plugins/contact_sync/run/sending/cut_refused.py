"""Cut a batch that SendGrid refused as a whole, until the contacts are found or a size fits.

A refusal without a name may be due to any contact, to the size of the request, or to nothing that
a contact changes. The parts are batches of the same family, sent one after the other. Three bounds:
so many refused requests a family, so many before the first one that is taken, and no part smaller
than one contact. While none is taken, each cut takes one contact apart: bad ones in every part look
like a fault of the set-up otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from contact_sync.base.errors import FatalError, RequestRefused
from contact_sync.base.failpoints import reach
from contact_sync.base.numbers import count
from contact_sync.base.plain_reasons import NOTHING_PLAIN, plain
from contact_sync.base.vocabulary import (
    Ending,
    Lane,
    Outcome,
    PendingReason,
    Refusal,
    Refused,
)
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.sending.around_calls import storing
from contact_sync.state import (
    batch_contacts,
    batch_moves,
    batches,
    confirming,
    families,
    outbox_blocks,
    runs,
    settling,
)
from contact_sync.state.batches import Batch
from contact_sync.state.families import Member
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
MAX_REFUSED = 1_000  # requests of a family; a request that names a contact counts, too
MAX_BEFORE_SUCCESS = 12  # and one more for each halving
PROBE_AFTER = 3  # refusals without a success: from here on single contacts are tried
MIN_BYTES = 4_000
"""A limit that is learned is never taken for less: so much are a few contacts."""


def is_known_as_too_large(sync: Sync, run: Run, lane: Lane, size: int) -> bool:
    """Whether a request or file of so many bytes isn't worth a try, by what the run has learned."""
    with sync.state.transaction() as cursor:
        most = runs.learned_size(cursor, run.run_id, lane)
    return most is not None and size > most


def cut_to_size(sync: Sync, run: Run, batch: Batch, size: int) -> bool:
    """Cut a batch of `size` bytes, nothing of which has left, by what the run has learned; False
    when it can't be cut: it is one contact."""
    with storing(sync, run) as cursor:
        contacts = batch_contacts.count_contacts(cursor, batch.batch_id)
        if contacts < 2:
            return False
        most = runs.learned_size(cursor, run.run_id, batch.lane) or size
        batch_moves.settle_unsent(cursor, run, batch, Outcome.SPLIT)
        parts = families.create_parts(cursor, batch, min(contacts, -(-size // most)))
        reach("batch_cut_uncommitted")
    log.info("Batch %d of %s bytes is cut into %s: SendGrid refused such a size before",
             batch.batch_id, f"{size:,}", f"{parts:,}")  # fmt: skip
    return True


def learn_size(cursor: Cursor, run: Run, lane: Lane, size: int) -> None:
    """SendGrid refused so many bytes: the next batches of the run have half of them at most."""
    runs.learn_size(cursor, run.run_id, lane, max(MIN_BYTES, size // 2))


def cut_refused(
    sync: Sync,
    run: Run,
    batch: Batch,
    refused: int,
    error: RequestRefused,
    *,
    apart: Sequence[int] = (),
    too_large: int | None = None,
    alone: Sequence[str] | None = None,
) -> None:
    """Cut a batch that SendGrid refused `refused` times, lastly by `error`; a single contact waits
    for what becomes of the others.

    `apart`: clients that are to be tried by themselves. `too_large`: bytes that were too many.
    `alone`: values of the only contact that the request had, which SendGrid may quote; None = it
    had several. Whoever another try of the task has left alone since wasn't refused alone.
    """
    with storing(sync, run) as cursor:
        batch_moves.settle_unsent(cursor, run, batch, Outcome.SPLIT)
        if too_large is not None:
            learn_size(cursor, run, batch.lane, too_large)
        _cut(cursor, run, batch, _ending(refused, error, alone or ()), apart,
             alone=alone is not None)  # fmt: skip


def cut_refused_file(sync: Sync, run: Run, batch: Batch, size: int, error: RequestRefused) -> None:
    """Cut a batch whose file of `size` bytes was too large for the storage."""
    with storing(sync, run) as cursor:
        if batch_moves.settle(cursor, run, batch, None, refused=True):
            learn_size(cursor, run, batch.lane, size)
            alone = batch_contacts.count_contacts(cursor, batch.batch_id) == 1
            _cut(cursor, run, batch, _ending(1, error), (), alone=alone)


def _cut(
    cursor: Cursor, run: Run, batch: Batch, ending: Ending, apart: Sequence[int], *, alone: bool
) -> None:
    """Within the transaction that settles the batch."""
    outbox_blocks.unpack_batch(cursor, batch.batch_id)
    contacts = batch_contacts.count_contacts(cursor, batch.batch_id)
    batches.set_outcome(cursor, batch.batch_id, ending)
    family = families.members(cursor, batch.root)
    if _is_hopeless(family):
        families.hold_open(cursor, run, batch)
        ending = Ending(PendingReason.REQUEST_REFUSED, ending.numbers, ending.detail)
        batches.set_outcome(cursor, batch.batch_id, ending)
        log.warning("Batch %d: SendGrid refuses whatever is sent of it (%s): given up",
                    batch.batch_id, ending.detail)  # fmt: skip
    elif alone and contacts:
        ending = Ending(Outcome.REFUSED_ALONE, ending.numbers, ending.detail)
        batches.set_outcome(cursor, batch.batch_id, ending)
    elif contacts:
        probe = apart or _probe(cursor, batch, family)
        families.create_parts(cursor, batch, 2, apart=probe)
        log.warning("Batch %d of %s: SendGrid refused it (%s); cut into parts",
                    batch.batch_id, count(contacts, "contact"), ending.detail)  # fmt: skip
    reach("batch_cut_uncommitted")


def _ending(refused: int, error: RequestRefused, values: Sequence[str] = ()) -> Ending:
    words = "; ".join(str(entry.get("message") or "") for entry in error.errors[:3])
    said = plain(words, values)
    detail = f"status {error.status}" if said == NOTHING_PLAIN else said
    return Ending(Outcome.SPLIT, {"refused": refused}, detail)


def close_refused(sync: Sync, run: Run, root_id: int) -> None:
    """Decide about the single contacts of a family that were refused without a name.

    They are rejected if SendGrid took another batch of the family, or if the set-up is known to
    work: a run has succeeded with the same list and fields. Else they are pending.
    """
    with sync.state.transaction() as cursor:
        family = families.members(cursor, root_id)
        singles = [one for one in family if one.outcome == Outcome.REFUSED_ALONE]
        if not singles:
            return
        worked = runs.read_sync(cursor, run.sync_name).mapping_version
    taken = any(member.succeeded for member in family)
    is_bad = taken or (run.destination is not None and run.destination.version == worked)
    for single in singles:
        with sync.state.transaction(run.fence) as cursor:
            numbers, ending = {"refused": single.refused}, PendingReason.REQUEST_REFUSED
            if is_bad:
                email = settling.only_address(cursor, single.batch_id)
                refusal = Refused(Refusal.REFUSED_BY_SENDGRID, single.detail)
                confirming.refuse(cursor, single.batch_id, {email: refusal})
            else:
                settling.hold(cursor, single.batch_id, None, ending)
            outcome = Outcome.ALL_REFUSED if is_bad else ending
            batches.set_outcome(cursor, single.batch_id, Ending(outcome, numbers, single.detail))
            reach("refused_single_uncommitted")
    log.warning("SendGrid refused %s, now %s", count(len(singles), "single contact"),
                "rejected" if is_bad else "pending")  # fmt: skip


def raise_if_given_up(sync: Sync, root_id: int) -> None:
    """Raise FatalError when SendGrid refused whatever was sent of a planned batch, so that no
    contact is to blame: the task must not look green."""
    with sync.state.transaction() as cursor:
        family = families.members(cursor, root_id)
    given_up = [m for m in family if m.outcome == PendingReason.REQUEST_REFUSED]
    if given_up:
        raise FatalError(
            f"SendGrid refused {count(_refused(family), 'request')} with contacts of batch "
            f"{root_id}, "
            f"lastly: {given_up[-1].detail}. Which contacts are the cause, if any, isn't known; "
            f"those that aren't sent are pending, and the next run tries again"
        )


def _probe(cursor: Cursor, batch: Batch, family: list[Member]) -> list[int]:
    if _cut_or_alone(family) < PROBE_AFTER or any(member.succeeded for member in family):
        return []
    return [batch_contacts.first_client(cursor, batch.batch_id)]


def _is_hopeless(family: list[Member]) -> bool:
    if _refused(family) >= MAX_REFUSED:
        return True
    if any(member.succeeded for member in family):
        return False
    enough = MAX_BEFORE_SUCCESS + family[0].contacts.bit_length()  # about log2
    return _cut_or_alone(family) >= enough


def _cut_or_alone(family: list[Member]) -> int:
    return sum(member.was_refused for member in family)


def _refused(family: list[Member]) -> int:
    return sum(member.refused for member in family)

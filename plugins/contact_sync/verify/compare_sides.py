"""Compare both sides of a verification, and end it with a certificate."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from contact_sync.base.errors import FatalError, RetryableError
from contact_sync.base.failpoints import reach
from contact_sync.base.verdicts import Count, Verdict, VerificationState
from contact_sync.base.vocabulary import RemovalReason
from contact_sync.postgres.cursor import Cursor
from contact_sync.state import comparing, rechecking, runs, sides, verifications
from contact_sync.state.comparing import Rules
from contact_sync.state.verifications import Verification, writing
from contact_sync.sync import Sync
from contact_sync.verify.context import open_verification
from contact_sync.verify.look_again import look_again

log = logging.getLogger(__name__)
BY_POLICY = tuple(why for why in RemovalReason if why is not RemovalReason.LIST_CHANGED)


def compare_sides(sync: Sync, verification_id: int, holder: str | None = None) -> None:
    """Join both sides, and look again at what differs. Once it has been joined, a repetition only
    goes on looking.

    Raises RetryableError when the database has lost a side, also after it was joined: the steps
    before have to be repeated.
    """
    found = open_verification(sync, verification_id, holder)
    if found.export_hash is None or found.snapshot is None:
        raise FatalError(f"Verification {verification_id} hasn't read both sides yet")
    with _both(sync, found) as cursor:
        if found.compared_at is None:
            _join(sync, cursor, found)
    reach("sides_compared")
    found = open_verification(sync, verification_id, holder)
    look_again(sync, found)
    with _both(
        sync, found
    ) as cursor:  # a side that was lost meanwhile made everybody's row another
        comparing.save_digests(cursor, found)


def _join(sync: Sync, cursor: Cursor, found: Verification) -> None:
    fields = [field.name for field in found.destination.mapping.fields]
    known = runs.read_sync(cursor, found.sync_name)
    rules = Rules(
        policies={why: sync.definition.removal_of(why) for why in BY_POLICY},
        has_list=found.destination.mapping.list_id is not None,
        expects_run=known.watermark is not None,
        believes_absences=known.watermark is not None and known.watermark.held == 0,
    )
    comparing.compare(cursor, found, fields, rules)
    reach("comparison_uncommitted")


@contextmanager
def _both(sync: Sync, found: Verification) -> Iterator[Cursor]:
    """A transaction in which the database has both sides. Raises RetryableError if it hasn't."""
    with writing(sync.state, found) as cursor:
        is_whole = sides.has_both(cursor, found)
        if is_whole:
            yield cursor
        else:
            sides.lose_sides(cursor, found)
    if not is_whole:
        raise RetryableError(
            "The state database has lost what the verification had stored, which is so when its "
            "server crashes: both sides are read again"
        )


def finish_verification(
    sync: Sync, verification_id: int, holder: str | None = None
) -> Verification:
    """End it: its row is the certificate, and its findings stand for all earlier ones. Returns the
    verification; once it is over, nothing else is done."""
    found = verifications.load(sync.state, verification_id)
    if found.state is VerificationState.SUCCEEDED:
        return found
    found = open_verification(sync, verification_id, holder)
    if found.compared_at is None:
        raise FatalError(f"Verification {verification_id} hasn't compared both sides yet")
    with writing(sync.state, found) as cursor:
        verdicts = verifications.count_findings(cursor, verification_id)
        clients = sum(n for code, n in verdicts.items() if code not in rechecking.STRANGERS)
        counts: dict[str, int] = {code: verdicts.get(code, 0) for code in Verdict}
        waiting = found.counts.get(Count.WAITING, 0)
        counts[Count.EQUAL] = found.counts[Count.COMPARED] - waiting - clients
        verifications.save_counts(cursor, verification_id, counts)
        verifications.finish(cursor, found, VerificationState.SUCCEEDED)
        sides.drop_sides(cursor, found)
        reach("verification_end_uncommitted")
    reach("verification_finished")
    return verifications.load(sync.state, verification_id)


def fail_verification(sync: Sync, verification_id: int, cause: str) -> None:
    """End it without a result, because a step failed for good; over already, nothing is done."""
    found = verifications.load(sync.state, verification_id)
    if found.state is not VerificationState.RUNNING:
        return
    with writing(sync.state, found) as cursor:
        verifications.finish(cursor, found, VerificationState.FAILED, cause)
        sides.drop_sides(cursor, found)

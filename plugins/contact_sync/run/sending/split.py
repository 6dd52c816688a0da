"""Find the contacts that make a job fail as a whole: send it once more, then in halves.

The batches that are split from a planned one are its family; they run one after the other. Two
bounds keep a cause that isn't a contact (the plan's contact limit) from going on for ever: so many
failures without any success, and so many jobs.
"""

from __future__ import annotations

import logging

from contact_sync.base.failpoints import reach
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import Ending, Outcome, PendingReason, Refusal, Refused
from contact_sync.postgres.cursor import Cursor
from contact_sync.state import batch_contacts, batches, confirming, families, settling
from contact_sync.state.batches import Batch
from contact_sync.state.families import Member
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
MAX_FAILURES = 8  # the batch, its repetition, both halves, their quarters: two bad rows end sooner
EXTRA_JOBS = 8


def postpone_and_split(cursor: Cursor, run: Run, batch: Batch, reason: PendingReason) -> Ending:
    """Make the batch's clients pending and stage them again in its family; returns the outcome.

    Belongs into the transaction that settles the batch.
    """
    settling.postpone(cursor, batch.batch_id, reason, keep=True)
    family = families.members(cursor, batch.root)
    if _is_hopeless(family):
        families.drop_open(cursor, run, batch)
        settling.clear(cursor, batch.batch_id)
        return Ending(reason)
    if batch_contacts.count_contacts(cursor, batch.batch_id) == 1 and batch.tries:
        return Ending(Outcome.FAILED_ALONE)
    again = reason is PendingReason.JOB_FAILED and batch.tries == 0
    families.create_parts(cursor, batch, 1 if again else 2, failed=True)
    reach("batch_split_uncommitted")
    return Ending(Outcome.SENT_AGAIN if again else Outcome.SPLIT)


def _is_hopeless(family: list[Member]) -> bool:
    jobs = sum(member.job_status is not None for member in family if member.failed or member.tries)
    most = 4 * family[0].contacts.bit_length() + EXTRA_JOBS  # bit_length is about log2
    if jobs >= most:
        return True
    failures = sum(member.failed for member in family)
    return failures >= MAX_FAILURES and not any(member.succeeded for member in family)


def close_family(sync: Sync, run: Run, root_id: int) -> None:
    """Reject the single contacts whose jobs failed, if nothing else can be the cause.

    Another job of the family must have succeeded. Several failed contacts are rejected only when
    the plan's contact limit can't be the cause: because as many contacts were created after a
    failed job as it had, or because they exist at SendGrid already. Otherwise they stay pending.
    """
    with sync.state.transaction() as cursor:
        family = families.members(cursor, root_id)
        singles = [member.batch_id for member in family if member.outcome == Outcome.FAILED_ALONE]
        emails = {single: settling.only_address(cursor, single) for single in singles}
    if not singles:
        return
    bad = _without_excuse(sync, family, emails)
    for single, email in emails.items():
        with sync.state.transaction(run.fence) as cursor:
            ending = Ending(PendingReason.JOB_FAILED)
            if email in bad:
                ending = Ending(Outcome.REJECTED_ALONE)
                confirming.refuse(cursor, single, {email: Refused(Refusal.IMPORT_FAILED)})
            settling.clear(cursor, single)
            batches.set_outcome(cursor, single, ending)
            reach("single_settled_uncommitted")
    log.warning(
        "%s SendGrid's import fail; rejected: %s",
        count(len(emails), "contact makes", "contacts make"),
        f"{len(bad):,}",
    )


def _without_excuse(sync: Sync, family: list[Member], emails: dict[int, str]) -> set[str]:
    if not any(member.succeeded for member in family):
        return set()
    if len(emails) == 1 or _had_room(family):
        return set(emails.values())
    exist = sync.sendgrid.contact_ids(sorted(emails.values()))
    return {email for email in emails.values() if email in exist}


def _had_room(family: list[Member]) -> bool:
    """Whether some job failed although the plan had room for all its contacts.

    It had if as many were created later; a family's jobs run in the order of their ids.
    """
    for failed in family:
        if failed.failed:
            later = [m for m in family if m.succeeded and m.batch_id > failed.batch_id]
            if sum(member.created for member in later) >= failed.contacts:
                return True
    return False

"""Look up the contacts of a removal, before and after it is sent, and judge what it means that one
isn't found, or still is.

SendGrid's search lags behind its jobs, by about 30 s (recordings of the real service): who was
confirmed a moment ago may exist and not be found. Such an address is looked up again by later runs
until a miss is final.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import Any

from contact_sync.base.failpoints import reach
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import NOTHING_TO_REMOVE, Lane, Outcome
from contact_sync.base.words import outcome as in_words
from contact_sync.run.sending.search import search
from contact_sync.state import moves, removals
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
SEARCH_LAG_SECONDS = 600.0
"""A contact that was last upserted so long ago would be found: 20 times the lag that was seen."""
SHOWN_SECONDS = 180.0
"""A run looks for so long whether a removal that it sent shows: six times the lag that was seen."""


def contacts_to_remove(sync: Sync, run: Run, batch: Batch) -> tuple[list[str], Outcome]:
    """The ids of the batch's contacts. Addresses for which nothing is to be sent leave the batch,
    each kind with an outcome of its own; when none is left, the batch's outcome is returned instead
    of ids.
    """
    with sync.state.transaction() as cursor:
        ages = removals.of_batch(cursor, batch.batch_id)
        waiting = moves.waiting_removals(cursor, batch.batch_id)
    found, unsearchable = search(sync, ages.keys() - waiting.keys())
    there: dict[str, str] = {}
    missed: dict[Outcome, list[str]] = defaultdict(list)
    for email, age in ages.items():
        # An accepted removal that wasn't seen at once, and is now, needs no certainty by time.
        is_sure = age.seconds >= SEARCH_LAG_SECONDS or age.tries > 0
        if email in waiting:
            unseen = waiting[email]
            missed[Outcome.NOT_FOUND_YET if unseen else Outcome.NOT_MOVED].append(email)
        elif email in unsearchable:
            missed[Outcome.UNSEARCHABLE].append(email)
        elif email in found and (_is_there(found[email], batch) or not is_sure):
            there[email] = str(found[email]["id"])
        else:
            missed[Outcome.NOTHING_THERE if is_sure else Outcome.NOT_FOUND_YET].append(email)
    for outcome, emails in missed.items():
        log.info(
            "Batch %d: %s: %s", batch.batch_id, count(len(emails), "contact"), in_words(outcome)
        )
    own = Outcome.NOTHING_THERE
    if missed and not there:
        own, _ = missed.popitem()
    with sync.state.transaction(run.fence) as cursor:
        for outcome, emails in missed.items():
            done = outcome in NOTHING_TO_REMOVE
            removals.set_apart(cursor, run, batch, emails, outcome, done=done)
        reach("misses_uncommitted")
    return sorted(there.values()), own


def still_shown(sync: Sync, batch: Batch) -> set[str]:
    """The addresses of a removal that was sent whose contacts SendGrid shows where they were.

    Its search may lag behind its job; nothing else proves that a contact is gone.
    """
    with sync.state.transaction() as cursor:
        ages = removals.of_batch(cursor, batch.batch_id)
    found, unsearchable = search(sync, ages)
    reach("removal_looked_at")
    return unsearchable | {email for email, contact in found.items() if _is_there(contact, batch)}


def _is_there(contact: dict[str, Any], batch: Batch) -> bool:
    """Whether the batch has something to remove of a contact that exists."""
    return batch.lane is Lane.DELETE or batch.list_id in (contact.get("list_ids") or ())


def patience(sync: Sync) -> float:
    """For how many seconds since a removal was sent its contacts may be shown in vain."""
    return min(SHOWN_SECONDS, sync.definition.deadlines.job_hours * 3600)

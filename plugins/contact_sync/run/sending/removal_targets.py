"""Look up the contacts of a removal, and judge what it means that one isn't found.

SendGrid's search lags behind its jobs, by about 30 s (recordings of the real service): who was
confirmed a moment ago may exist and not be found. Such an address is looked up again by later runs
until a miss is final.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable

from contact_sync.base.errors import RequestRefused
from contact_sync.base.failpoints import reach
from contact_sync.base.vocabulary import NOTHING_TO_REMOVE, Outcome
from contact_sync.base.words import outcome as in_words
from contact_sync.sendgrid.api import is_searchable
from contact_sync.sendgrid.refused_contacts import refused_by_answer
from contact_sync.state import moves, removals
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
SEARCH_LAG_SECONDS = 600.0
"""A contact that was last upserted so long ago would be found: 20 times the lag that was seen."""


def contacts_to_remove(sync: Sync, run: Run, batch: Batch) -> tuple[list[str], Outcome]:
    """The ids of the batch's contacts. Addresses that aren't found leave the batch, each kind with
    an outcome of its own; when none is found, the batch's outcome is returned instead of ids.
    """
    with sync.state.transaction() as cursor:
        ages = removals.of_batch(cursor, batch.batch_id)
        waiting = moves.waiting_removals(cursor, batch.batch_id)
    found, unsearchable = _search(sync, ages.keys() - waiting.keys())
    missed: dict[Outcome, list[str]] = defaultdict(list)
    for email in ages.keys() - found.keys():
        if email in waiting:
            unseen = waiting[email]
            missed[Outcome.NOT_FOUND_YET if unseen else Outcome.NOT_MOVED].append(email)
            continue
        late = ages[email] < SEARCH_LAG_SECONDS
        why = Outcome.NOT_FOUND_YET if late else Outcome.NOTHING_THERE
        missed[Outcome.UNSEARCHABLE if email in unsearchable else why].append(email)
    for outcome, emails in missed.items():
        log.info("Batch %d: %d contacts: %s", batch.batch_id, len(emails), in_words(outcome))
    own = Outcome.NOTHING_THERE
    if missed and not found:
        own, _ = missed.popitem()
    with sync.state.transaction(run.fence) as cursor:
        for outcome, emails in missed.items():
            done = outcome in NOTHING_TO_REMOVE
            removals.set_apart(cursor, run, batch, emails, outcome, done=done)
        reach("misses_uncommitted")
    return sorted(found.values()), own


def _search(sync: Sync, emails: Iterable[str]) -> tuple[dict[str, str], set[str]]:
    """Contact id by address, and the addresses that SendGrid doesn't search."""
    sought = sorted(filter(is_searchable, emails))
    unsearchable = set(emails) - set(sought)
    try:
        return sync.sendgrid.contact_ids(sought), unsearchable
    except RequestRefused as error:
        refused = refused_by_answer(error, sought).keys()
        if not refused:
            raise
    rest = [email for email in sought if email not in refused]
    return sync.sendgrid.contact_ids(rest), unsearchable | refused

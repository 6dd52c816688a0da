"""Read who gets no mail from SendGrid, and why: what is new since the last run, or everything."""

from __future__ import annotations

import logging

import numpy as np

from contact_sync.base.errors import AuthError
from contact_sync.base.failpoints import reach
from contact_sync.base.suppressed import Suppressed, SuppressionNews
from contact_sync.base.vocabulary import SuppressionKind
from contact_sync.config.suppressions import Suppressions
from contact_sync.contacts.hash_keys import Hashing
from contact_sync.contacts.tombstones import Tombstones
from contact_sync.state import affected, leases, suppressed
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


def read_suppressions(sync: Sync, run: Run) -> SuppressionNews:
    """Bring the table of suppressions up to date; returns what this run found.

    Nothing is read without the definition's block `suppressions`, or in a dry run. Raises AuthError
    for a key that may not read them.
    """
    asked = sync.definition.suppressions
    if asked is None or run.dry_run:
        return SuppressionNews()
    try:
        for kind in SuppressionKind:
            _read(sync, run, kind, asked)
    except AuthError as error:
        raise AuthError(
            f"{error}. The definition asks for `suppressions`, so the key needs the scopes to read "
            f"suppressions and unsubscribe groups; or take the block out"
        ) from None
    reach("suppressions_read")
    with sync.state.transaction() as cursor:
        news = suppressed.news_of(cursor, run.run_id)
        if news:
            affected.forget_counts(cursor, run.sync_id)
    for name, n in news.come.items():
        log.info("Suppressions at SendGrid: %s new of kind %s", f"{n:,}", name)
    for name, n in news.lifted.items():
        log.info("Suppressions at SendGrid: %s of kind %s were lifted", f"{n:,}", name)
    return news


def _not_erased(
    page: list[Suppressed], tombstones: Tombstones, hashing: Hashing
) -> list[Suppressed]:
    """The same without addresses that were erased: SendGrid goes on suppressing them."""
    if not tombstones:
        return page
    hashes = np.array(suppressed.address_hashes([each.email for each in page], hashing), np.int64)
    erased = tombstones.cover_addresses(hashes)
    return [each for each, is_erased in zip(page, erased, strict=True) if not is_erased]


def _read(sync: Sync, run: Run, kind: SuppressionKind, asked: Suppressions) -> None:
    with sync.state.transaction() as cursor:
        place = suppressed.place_of(
            cursor, run.sync_id, kind,
            overlap_minutes=asked.overlap_minutes, whole_hours=asked.whole_every_hours,
        )  # fmt: skip
    tombstones, hashing = sync.tombstones(), sync.hashing()
    for page in sync.sendgrid.suppressions(kind, None if place.is_whole else place.since):
        leases.renew_lease(sync.state, run)
        if page := _not_erased(page, tombstones, hashing):
            with sync.state.transaction(run.fence) as cursor:
                suppressed.note(cursor, run.sync_id, kind, page, place, hashing)
                reach("suppressions_page_uncommitted")
    with sync.state.transaction(run.fence) as cursor:
        suppressed.end_reading(cursor, run.sync_id, kind, place)

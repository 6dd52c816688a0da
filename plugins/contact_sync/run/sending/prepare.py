"""What has to be true just before a batch's first byte leaves.

Time passes between reading and sending: whoever was excluded, deleted, erased or moved meanwhile,
or whose address SendGrid has suppressed, must not be uploaded. Nor whoever takes over the address
of an excluded client whose contact isn't gone for certain. And the opt-out of a former address is
carried over before the new one exists.
"""

from __future__ import annotations

import logging

import numpy as np

from contact_sync.base.arrays import Int64, among, rows_of, taken
from contact_sync.base.errors import AuthError, RequestRefused
from contact_sync.base.failpoints import reach
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import PendingReason
from contact_sync.base.words import reason as in_words
from contact_sync.sendgrid.suppression_calls import MAX_SUPPRESSED
from contact_sync.state import (
    batch_contacts,
    batches,
    clocks,
    leases,
    removals,
    settling,
    suppressed,
)
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run
from contact_sync.state.suppressions import EVERYWHERE
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
MAX_AGE_SECONDS = 300.0


def prepare(sync: Sync, run: Run, batch: Batch) -> bool:
    """Take out of the batch what may not be sent; returns whether contacts are left."""
    _hold_changed(sync, run, batch)
    _hold_not_free(sync, run, batch)
    _suppress(sync, run, batch)
    with sync.state.transaction() as cursor:
        return batch_contacts.has_contacts(cursor, batch.batch_id)


def hold_erased(sync: Sync, run: Run, batch: Batch) -> None:
    """Take out whoever was erased since the batch was staged; also of a batch whose call left
    without an answer, and is made again."""
    if not (tombstones := sync.tombstones()):
        return
    client_id, email_hash = batch_contacts.address_hashes(sync.state, batch.batch_id)
    erased = client_id[tombstones.cover(client_id, email_hash)]
    _hold(sync, run, batch, [int(client) for client in erased], PendingReason.GONE_WHILE_READ)


def _hold_changed(sync: Sync, run: Run, batch: Batch) -> None:
    with sync.state.transaction() as cursor:
        age = clocks.seconds_since_read(cursor, run.run_id)
    if age is not None and age <= MAX_AGE_SECONDS:
        return
    from contact_sync.contacts.selection import barred
    from contact_sync.run.scan_clients import scan_clients

    with sync.b2core.snapshot() as snapshot:
        scan = scan_clients(snapshot, sync.hashing())
    allowed = ~barred(scan) & ~among(scan.email_hash, _newly_suppressed(sync, run))
    client_id, email_hash = batch_contacts.address_hashes(sync.state, batch.batch_id)
    rows, found = rows_of(scan.client_id[allowed], client_id)
    as_before = found & (taken(scan.email_hash[allowed], rows, found) == email_hash)
    changed = [int(client) for client in client_id[~as_before]]
    _hold(sync, run, batch, changed, PendingReason.CHANGED_SINCE_READ)


def _newly_suppressed(sync: Sync, run: Run) -> Int64:
    """Hashes of addresses that SendGrid has suppressed since it was asked last, of the kinds for
    which the definition excludes. Nothing is stored: the next run reads and counts them."""
    asked = sync.definition.suppressions
    if asked is None:
        return np.empty(0, np.int64)
    found, hashing = list[int](), sync.hashing()
    often = {"overlap_minutes": asked.overlap_minutes, "whole_hours": asked.whole_every_hours}
    for kind in asked.with_policy("exclude"):
        with sync.state.transaction() as cursor:
            place = suppressed.place_of(cursor, run.sync_id, kind, **often)
        for page in sync.sendgrid.suppressions(kind, place.since):
            leases.renew_lease(sync.state, run)
            found += suppressed.address_hashes([each.email for each in page], hashing)
    return np.array([each for each in found if each], np.int64)


def _hold_not_free(sync: Sync, run: Run, batch: Batch) -> None:
    """A removal that was accepted and isn't seen may still take effect, after the upsert."""
    with sync.state.transaction() as cursor:
        clients = removals.not_free(cursor, batch.batch_id, run.run_id)
    _hold(sync, run, batch, clients, PendingReason.ADDRESS_NOT_FREE)


def _suppress(sync: Sync, run: Run, batch: Batch) -> None:
    with sync.state.transaction() as cursor:
        found = batch_contacts.addresses_to_suppress(cursor, batch.batch_id)
    for group, addresses in found.items():
        clients = list(addresses)
        for start in range(0, len(clients), MAX_SUPPRESSED):
            part = clients[start : start + MAX_SUPPRESSED]
            leases.renew_lease(sync.state, run)
            try:
                _suppress_in(sync, group, [addresses[client] for client in part])
            except (AuthError, RequestRefused) as error:
                log.warning(
                    "The opt-outs of %s former addresses can't be carried over, so the new ones "
                    "aren't uploaded: %s. The key needs the scope to write "
                    "suppressions",
                    f"{len(part):,}", error,
                )  # fmt: skip
                _hold(sync, run, batch, part, PendingReason.SUPPRESSION_NOT_CARRIED)
    if found:
        reach("suppressed_not_sent")


def _suppress_in(sync: Sync, group: int, emails: list[str]) -> None:
    if group == EVERYWHERE:
        sync.sendgrid.suppress(emails)
    else:
        sync.sendgrid.suppress_in_group(group, emails)


def _hold(sync: Sync, run: Run, batch: Batch, client_ids: list[int], reason: PendingReason) -> None:
    if not client_ids:
        return
    with sync.state.transaction(run.fence) as cursor:
        held = settling.hold(cursor, batch.batch_id, client_ids, reason)
        if reason is PendingReason.CHANGED_SINCE_READ:
            batches.count_taken_out(cursor, batch.batch_id, excluded=held)
        reach("clients_held_uncommitted")
    log.info("Batch %d: %s taken out: %s", batch.batch_id, count(held, "client"), in_words(reason))

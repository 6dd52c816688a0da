"""Carry an opt-out over to a client's new address.

A suppression belongs to an address, not to a person: whoever unsubscribed as old@ would get mail as
new@ (Twilio docs, Suppressions). So each moved client's former address is looked up before its new
one is sent; `submit` then suppresses the new one first.
"""

from __future__ import annotations

import logging

from contact_sync.errors import AuthError
from contact_sync.failpoints import reach
from contact_sync.state import carrying
from contact_sync.state.runs import Run
from contact_sync.steps.start import Sync

log = logging.getLogger(__name__)
MAX_SINGLE_LOOKUPS = 100  # for more moved clients all unsubscribes are read, 500 a call


def carry_suppressions(sync: Sync, run: Run) -> int:
    """Mark staged clients whose former address is globally suppressed.

    Only reads at SendGrid. When the key may not read suppressions, the moved clients are held: they
    become pending and their number is returned.
    """
    if not sync.definition.carry_suppressions:
        return 0
    with sync.state.transaction() as cursor:
        moved = carrying.moved_clients(cursor, run.sync_id, run.run_id)
    if not moved:
        return 0
    try:
        suppressed = _suppressed(sync, set(moved.values()))
    except AuthError as error:
        with sync.state.transaction(run.fence) as cursor:
            carrying.hold(cursor, run.sync_id, run.run_id, list(moved))
        log.warning(
            "%d clients have a new address and are held, because nobody can tell whether the old "
            "one is unsubscribed: %s. Give the key the scope to read suppressions, or set "
            "`carry_suppressions: false`",
            len(moved), error,
        )  # fmt: skip
        return len(moved)
    found = [client for client, former in moved.items() if former in suppressed]
    with sync.state.transaction(run.fence) as cursor:
        carrying.mark(cursor, run.run_id, found)
        reach("suppressions_uncommitted")
    log.info("%d clients have a new address; %d old ones are unsubscribed", len(moved), len(found))
    return 0


def _suppressed(sync: Sync, addresses: set[str]) -> set[str]:
    if len(addresses) > MAX_SINGLE_LOOKUPS:
        return sync.sendgrid.suppressed_addresses() & addresses
    return {address for address in addresses if sync.sendgrid.is_suppressed(address)}

"""Carry an opt-out over to a client's new address.

A suppression belongs to an address, not to a person: whoever unsubscribed as old@ would get mail as
new@ (Twilio docs, Suppressions). So each moved client's former address is looked up before its new
one is sent; `prepare` then suppresses the new one first.
"""

from __future__ import annotations

import logging

from contact_sync.base.errors import AuthError, RequestRefused, SyncError
from contact_sync.base.failpoints import reach
from contact_sync.state import suppressions
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
MAX_SINGLE_LOOKUPS = 100  # for more moved clients all unsubscribes are read, 500 a call


def carry_suppressions(sync: Sync, run: Run) -> int:
    """Mark staged clients whose former address is globally suppressed.

    Only reads at SendGrid. Moved clients whose former address can't be looked up are held: they
    become pending and their number is returned.
    """
    if not sync.definition.carry_suppressions:
        return 0
    with sync.state.transaction() as cursor:
        moved = suppressions.moved_clients(cursor, run.sync_id, run.run_id)
    if not moved:
        return 0
    suppressed, unknown = _look_up(sync, set(moved.values()))
    held = [client for client, former in moved.items() if former in unknown]
    found = [client for client, former in moved.items() if former in suppressed]
    with sync.state.transaction(run.fence) as cursor:
        suppressions.hold(cursor, run.sync_id, run.run_id, held)
        suppressions.mark(cursor, run.run_id, found)
        reach("suppressions_uncommitted")
    log.info("%d clients have a new address; %d old ones are unsubscribed", len(moved), len(found))
    return len(held)


def _look_up(sync: Sync, addresses: set[str]) -> tuple[set[str], set[str]]:
    """Those of the addresses that are suppressed, and those of which SendGrid doesn't say it."""
    sought = sorted(addresses)
    if len(sought) > MAX_SINGLE_LOOKUPS:
        try:
            return sync.sendgrid.suppressed_addresses() & addresses, set()
        except (AuthError, RequestRefused) as error:
            _tell(len(sought), error)
            return set(), addresses
    suppressed, unknown = set[str](), set[str]()
    for number, address in enumerate(sought):
        try:
            if sync.sendgrid.is_suppressed(address):
                suppressed.add(address)
        except RequestRefused as error:
            _tell(1, error)
            unknown.add(address)
        except AuthError as error:
            _tell(len(sought) - number, error)
            return suppressed, unknown | set(sought[number:])
    return suppressed, unknown


def _tell(addresses: int, error: SyncError) -> None:
    log.warning(
        "Clients of %d former addresses are held, because it isn't known whether the old address "
        "is unsubscribed: %s. Give the key the scope to read suppressions, or set "
        "`carry_suppressions: false`",
        addresses, error,
    )  # fmt: skip

"""Carry an opt-out over to a client's new address.

A suppression belongs to an address, not to a person: whoever unsubscribed as old@ would get mail as
new@ (Twilio docs, Suppressions). So each moved client's former address is looked up before its new
one is sent; `prepare` then suppresses the new one first. That goes for the global unsubscribe, for
those of groups, and for a mail that was called spam: its report belongs to the old address and no
call makes one, so the new address is unsubscribed from everything.
"""

from __future__ import annotations

import logging
from collections import defaultdict

from contact_sync.base.errors import AuthError, RequestRefused, SyncError
from contact_sync.base.failpoints import reach
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import PendingReason
from contact_sync.sendgrid.suppression_calls import MAX_SUPPRESSED
from contact_sync.state import leases, suppressions
from contact_sync.state.runs import Run
from contact_sync.state.suppressions import EVERYWHERE
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
MAX_SINGLE_LOOKUPS = 100  # for more moved clients all unsubscribes are read, 500 a call,
# and each group is asked for them, 500 a call, too


def carry_suppressions(sync: Sync, run: Run) -> int:
    """Mark staged clients whose former address is suppressed, globally or in groups.

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
    groups, not_said = _look_up_groups(sync, run, set(moved.values()) - unknown)
    for address in suppressed:
        groups[address].add(EVERYWHERE)
    held = [client for client, former in moved.items() if former in unknown | not_said]
    found = {client: groups[former] for client, former in moved.items() if groups.get(former)}
    with sync.state.transaction(run.fence) as cursor:
        suppressions.hold(cursor, run.sync_id, run.run_id, held, PendingReason.SUPPRESSION_UNKNOWN)
        suppressions.mark(cursor, run.run_id, found)
        reach("suppressions_uncommitted")
    log.info(
        "%s a new address; unsubscribed were of the old ones: %s",
        count(len(moved), "client has", "clients have"),
        f"{len(found):,}",
    )
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
            if sync.sendgrid.is_suppressed(address) or sync.sendgrid.has_reported_spam(address):
                suppressed.add(address)
        except RequestRefused as error:
            _tell(1, error)
            unknown.add(address)
        except AuthError as error:
            _tell(len(sought) - number, error)
            return suppressed, unknown | set(sought[number:])
    return suppressed, unknown


def _look_up_groups(
    sync: Sync, run: Run, addresses: set[str]
) -> tuple[dict[str, set[int]], set[str]]:
    """Address → the groups that it is unsubscribed from, and the addresses of which SendGrid
    doesn't say it. An account without groups is asked for them, and for nothing else."""
    found, unknown = defaultdict[str, set[int]](set), set[str]()
    if not addresses:
        return found, unknown
    try:
        groups = sync.sendgrid.groups()
    except (AuthError, RequestRefused) as error:
        _tell(len(addresses), error)
        return found, addresses
    if len(addresses) > MAX_SINGLE_LOOKUPS:
        return _ask_groups(sync, run, groups, sorted(addresses))
    for number, address in enumerate(sought := sorted(addresses if groups else ())):
        try:
            found[address] |= sync.sendgrid.groups_of(address)
        except RequestRefused as error:
            _tell(1, error)
            unknown.add(address)
        except AuthError as error:
            _tell(len(sought) - number, error)
            return found, unknown | set(sought[number:])
    return found, unknown


def _ask_groups(
    sync: Sync, run: Run, groups: list[int], sought: list[str]
) -> tuple[dict[str, set[int]], set[str]]:
    found, unknown = defaultdict[str, set[int]](set), set[str]()
    for group in groups:
        for start in range(0, len(sought), MAX_SUPPRESSED):
            part = sought[start : start + MAX_SUPPRESSED]
            leases.renew_lease(sync.state, run)
            try:
                for address in sync.sendgrid.in_group(group, part):
                    found[address].add(group)
            except (AuthError, RequestRefused) as error:
                _tell(len(part), error)
                unknown.update(part)
    return found, unknown


def _tell(addresses: int, error: SyncError) -> None:
    log.warning(
        "Clients of %s former addresses are held, because it isn't known whether the old address "
        "is unsubscribed: %s. The key needs the scope to read suppressions, also of groups; or "
        "set `carry_suppressions: false`",
        f"{addresses:,}", error,
    )  # fmt: skip

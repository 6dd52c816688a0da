"""Unsubscribe the addresses of clients that B2CORE has excluded, where the definition says so.

Before their contacts leave. A suppression can't be taken back by any run, so only addresses count
whose contact was to be removed, and whose client is excluded still. What SendGrid accepts is looked
at: only what it shows is done, the rest is told as degraded and tried by the next run. Nothing of
this keeps a contact from leaving.
"""

from __future__ import annotations

import logging

from contact_sync.base.errors import AuthError, RequestRefused, RetryableError
from contact_sync.base.failpoints import reach
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import SuppressionKind
from contact_sync.run.sending.prepare import MAX_AGE_SECONDS
from contact_sync.sendgrid.suppression_calls import MAX_SUPPRESSED
from contact_sync.state import clocks, leases, suppressions_due
from contact_sync.state.runs import Run
from contact_sync.state.suppressions_due import Due
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
MAX_SINGLE_LOOKS = 100  # of more addresses the newest unsubscribes are read first, 500 a call
CLOCKS_DIFFER_SECONDS = 3600
BAD_REQUEST = 400


def suppress_excluded(sync: Sync, run: Run) -> None:
    """Unsubscribe from everything who is noted, and note whom SendGrid shows so.

    Repeating it changes nothing. What SendGrid refuses, or can't be reached for, stays noted.
    """
    if not sync.definition.suppress_excluded:
        return
    with sync.state.transaction(run.fence) as cursor:
        found = suppressions_due.due(cursor, run.sync_id, run.run_id)
    if found and not _is_fresh(sync, run):
        found = _still_excluded(sync, found)
    if not found:
        return
    shown = set[str]()
    try:
        sent = _suppress_all(sync, run, [each.email for each in found])
        reach("excluded_suppressed")
        since = min(each.noted for each in found) - CLOCKS_DIFFER_SECONDS
        shown = _shown(sync, run, sent, since)
    except (AuthError, RequestRefused, RetryableError) as error:
        _tell(len(found), error)
    with sync.state.transaction(run.fence) as cursor:
        suppressions_due.see(cursor, run.sync_id, shown)
        reach("suppressions_seen_uncommitted")
    log.info("To be unsubscribed from everything: %s of excluded clients; SendGrid shows %s so",
             count(len(found), "address", "addresses"), f"{len(shown):,}")  # fmt: skip


def _is_fresh(sync: Sync, run: Run) -> bool:
    with sync.state.transaction() as cursor:
        age = clocks.seconds_since_read(cursor, run.run_id)
    return age is not None and age <= MAX_AGE_SECONDS


def _still_excluded(sync: Sync, found: list[Due]) -> list[Due]:
    """Those that B2CORE excludes now, too: a person may have taken hours to approve the plan."""
    from contact_sync.contacts.selection import barred
    from contact_sync.run.scan_clients import scan_clients

    with sync.b2core.snapshot() as snapshot:
        scan = scan_clients(snapshot, sync.hashing())
    excluded = set(scan.client_id[scan.excluded].tolist())
    out = barred(scan)
    addresses = set(scan.email_hash[out].tolist())
    taken = set(scan.email_hash[~out].tolist())
    return [
        each
        for each in found
        if each.email_hash in addresses
        or (each.client_id in excluded and each.email_hash not in taken)
    ]


def _suppress_all(sync: Sync, run: Run, emails: list[str]) -> list[str]:
    """Returns the addresses that SendGrid accepted."""
    accepted: list[str] = []
    waiting = [emails[i : i + MAX_SUPPRESSED] for i in range(0, len(emails), MAX_SUPPRESSED)]
    while waiting:
        part = waiting.pop(0)
        leases.renew_lease(sync.state, run)
        try:
            sync.sendgrid.suppress(part)
        except RequestRefused as error:
            if error.status != BAD_REQUEST or len(part) == 1:
                _tell(len(part), error)
            else:  # one bad address has SendGrid refuse them all
                half = len(part) // 2
                waiting[:0] = [part[:half], part[half:]]
        else:
            accepted += part
    return accepted


def _shown(sync: Sync, run: Run, emails: list[str], since: int) -> set[str]:
    """Those that SendGrid shows unsubscribed. `since`: epoch second before which none was sent.

    Who was so before isn't among the newest ones, and is asked for by itself.
    """
    shown, sought = set[str](), set(emails)
    if len(sought) > MAX_SINGLE_LOOKS:
        for page in sync.sendgrid.suppressions(SuppressionKind.UNSUBSCRIBE, since):
            leases.renew_lease(sync.state, run)
            shown |= sought & {each.email for each in page}
    for email in sorted(sought - shown)[:MAX_SINGLE_LOOKS]:
        if sync.sendgrid.is_suppressed(email):
            shown.add(email)
    return shown


def _tell(addresses: int, error: Exception) -> None:
    advice = ""
    if isinstance(error, AuthError):
        advice = (
            ". The key needs the scopes to read and write suppressions; or set "
            "`suppress_excluded: false`"
        )
    log.warning(
        "Not unsubscribed at SendGrid, or it isn't known: %s of excluded clients; "
        "the contacts leave all the same, and the next run tries again: %s%s",
        count(addresses, "address", "addresses"), error, advice,
    )  # fmt: skip

"""Whether a new key still leads to the account that the ledger is about.

No call that every key may make names the account. So contacts are looked at: of those that were
confirmed, most must be there. Only after the key or the host has changed: one call.
"""

from __future__ import annotations

import logging

from contact_sync.base.errors import ConfigError
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.sending.removal_targets import SEARCH_LAG_SECONDS
from contact_sync.sendgrid.api import MAX_LOOKUP, is_searchable
from contact_sync.state import ledger, runs
from contact_sync.state.runs import Run, SyncState
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


def other_account(sync: Sync, run: Run | None, known: SyncState | None) -> list[str]:
    """A sentence for a person when the key has changed and leads to another account, else nothing.

    Not of a run of mode `resend`, by which a person says that this account shall be filled.
    """
    before = known.destination.key_mark if known and known.destination else None
    if run is None or known is None or (run.kind is RunKind.RESEND and not run.is_trial):
        return []
    if before in (None, sync.sendgrid.key_mark):
        return []
    sought = _sample(sync, known, older_than=SEARCH_LAG_SECONDS)
    is_sure = bool(sought)
    sought = sought or _sample(sync, known, older_than=0)
    found = len(sync.sendgrid.contacts_by_email(sought))
    log.info(
        "The key has changed: %s of %s found there",
        f"{found:,}",
        count(len(sought), "confirmed contact"),
    )
    if 2 * found >= len(sought):
        return []
    leads = "leads to another account" if is_sure else "may lead to another account"
    late = "" if is_sure else (
        f"; all were confirmed within the last {SEARCH_LAG_SECONDS / 60:.0f} minutes, and "
        f"SendGrid's search may not show them yet: then a later run goes on by itself"
    )  # fmt: skip
    return [
        f"The SendGrid key of connection {sync.definition.connections.sendgrid!r} has changed, and "
        f"it {leads}: of {count(len(sought), 'confirmed contact')} it has {found:,}{late}. "
        f"Enter a key of the former account or, if this one is to be filled with all clients, "
        f"trigger a run of mode resend"
    ]


def refuse_other_account(sync: Sync, run: Run) -> None:
    """Raise ConfigError when the key leads to another account: its jobs and contacts say nothing of
    what was sent to the former one."""
    with sync.state.transaction() as cursor:
        known = runs.read_sync(cursor, sync.definition.name)
    for problem in other_account(sync, run, known):
        raise ConfigError(f"Sync {sync.definition.name!r}: {problem}")


def _sample(sync: Sync, known: SyncState, *, older_than: float) -> list[str]:
    """Addresses to search, of clients confirmed more than so many seconds ago."""
    with sync.state.transaction() as cursor:
        sample = ledger.confirmed_sample(
            cursor, known.sync_id, at_most=MAX_LOOKUP, older_than=older_than
        )
    return list(filter(is_searchable, sample))

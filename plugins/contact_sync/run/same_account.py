"""Whether a new key still leads to the account that the ledger is about.

No call that every key may make names the account. So contacts are looked at: of those that were
confirmed, most must be there. Only after the key or the host has changed: one call.
"""

from __future__ import annotations

import logging

from contact_sync.base.vocabulary import RunKind
from contact_sync.run.sending.removal_targets import SEARCH_LAG_SECONDS
from contact_sync.sendgrid.api import MAX_LOOKUP, is_searchable
from contact_sync.state import ledger
from contact_sync.state.runs import Run, SyncState
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


def other_account(sync: Sync, run: Run | None, known: SyncState | None) -> list[str]:
    """A sentence for a person when the key has changed and leads to another account, else nothing.

    Not of a run of mode `resend`, by which a person says that this account shall be filled.
    """
    before = known.destination.key_mark if known and known.destination else None
    if run is None or known is None or run.kind is RunKind.RESEND:
        return []
    if before in (None, sync.sendgrid.key_mark):
        return []
    with sync.state.transaction() as cursor:
        sample = ledger.confirmed_sample(
            cursor, known.sync_id, at_most=MAX_LOOKUP, older_than=SEARCH_LAG_SECONDS
        )
    sought = list(filter(is_searchable, sample))
    found = len(sync.sendgrid.contacts_by_email(sought))
    log.info("The key has changed: %d of %d confirmed contacts are there", found, len(sought))
    if 2 * found >= len(sought):
        return []
    return [
        f"The SendGrid key of connection {sync.definition.connections.sendgrid!r} has changed, and "
        f"it leads to another account: of {len(sought)} contacts that were confirmed, {found} are "
        f"there. Enter a key of the former account or, if this one is to be filled with all "
        f"clients, trigger a run of mode resend"
    ]

"""Look contacts up by their addresses, as many as there are, a hundred a call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contact_sync.run.sending.search import search
from contact_sync.sendgrid.api import MAX_LOOKUP
from contact_sync.state import leases
from contact_sync.state.runs import Run
from contact_sync.sync import Sync


def look_up(
    sync: Sync, run: Run, emails: Iterable[str]
) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """The contacts that exist, by address, and the addresses that SendGrid doesn't search.

    Raises RequestRefused as `search` does.
    """
    sought = sorted(set(emails))
    found: dict[str, dict[str, Any]] = {}
    unsearchable: set[str] = set()
    for start in range(0, len(sought), MAX_LOOKUP):
        leases.renew_lease(sync.state, run)
        contacts, others = search(sync, sought[start : start + MAX_LOOKUP])
        found |= contacts
        unsearchable |= others
    return found, unsearchable

"""Look contacts up by their addresses, as many as there are, a hundred a call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contact_sync.base.errors import RequestRefused
from contact_sync.sendgrid.api import MAX_LOOKUP, is_searchable
from contact_sync.sendgrid.refused_contacts import refused_by_answer
from contact_sync.state import runs
from contact_sync.state.runs import Run
from contact_sync.sync import Sync


def look_up(
    sync: Sync, run: Run, emails: Iterable[str]
) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """The contacts that exist, by address, and the addresses that SendGrid doesn't search.

    Raises RequestRefused when it refuses a search and names no address.
    """
    every = sorted(set(emails))
    sought = list(filter(is_searchable, every))
    unsearchable = set(every) - set(sought)
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(sought), MAX_LOOKUP):
        runs.renew_lease(sync.state, run)
        part = sought[start : start + MAX_LOOKUP]
        try:
            found |= sync.sendgrid.contacts_by_email(part)
        except RequestRefused as error:
            refused = refused_by_answer(error, part).keys()
            if not refused:
                raise
            unsearchable |= refused
            rest = [email for email in part if email not in refused]
            found |= sync.sendgrid.contacts_by_email(rest)
    return found, unsearchable

"""Search contacts by address, whatever addresses SendGrid takes for a search."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contact_sync.base.errors import RequestRefused
from contact_sync.sendgrid.api import is_searchable
from contact_sync.sendgrid.refused_contacts import refused_by_answer
from contact_sync.sync import Sync


def search(sync: Sync, emails: Iterable[str]) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """Contacts by address, of at most 100, and the addresses that SendGrid doesn't search.

    Raises RequestRefused when it refuses the search without naming one of them.
    """
    sought = sorted(filter(is_searchable, emails))
    unsearchable = set(emails) - set(sought)
    try:
        return sync.sendgrid.contacts_by_email(sought), unsearchable
    except RequestRefused as error:
        refused = refused_by_answer(error, sought).keys()
        if not refused:
            raise
    rest = [email for email in sought if email not in refused]
    return sync.sendgrid.contacts_by_email(rest), unsearchable | refused

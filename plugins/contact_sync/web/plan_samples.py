"""Some clients of each kind of a plan, with their values before and after.

Values that aren't kept are fetched as long as the plan waits: after, from what is staged; before,
from SendGrid, by one search. Nothing of that is stored.
"""

from __future__ import annotations

from dataclasses import dataclass

from contact_sync.base.changes import ChangeKind
from contact_sync.base.errors import SyncError
from contact_sync.contacts.mapping import Mapping
from contact_sync.postgres.cursor import Cursor
from contact_sync.reporting.change_lines import Change
from contact_sync.state.changes import StagedChange
from contact_sync.state.for_people import changes
from contact_sync.web.changes_view import Values
from contact_sync.web.look_up import asking_sendgrid
from contact_sync.web.seen_sync import SeenSync

SAMPLES = 10
"""Of each kind."""
MOST = 100
"""Addresses of one search (Twilio docs, Get Contacts by Emails)."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """Rows by kind, in the order of KINDS, and what is staged of their clients, while it is."""

    by_kind: dict[str, list[Change]]
    staged: dict[int, StagedChange]

    @property
    def rows(self) -> list[Change]:
        """All of them."""
        return [row for rows in self.by_kind.values() for row in rows]


def sampled(cursor: Cursor, run_id: int) -> Sampled:
    """SAMPLES rows of each kind."""
    by_kind = changes.samples(cursor, run_id, SAMPLES)
    ids = {row.client_id for rows in by_kind.values() for row in rows}
    return Sampled(by_kind, changes.staged(cursor, run_id, sorted(ids)))


def values_now(sync: SeenSync, found: Sampled, mapping: Mapping) -> tuple[Values, str]:
    """Values of changed clients that are staged, for who may see them; or why there are none."""
    wanted = [
        found.staged[row.client_id]
        for row in found.by_kind.get(ChangeKind.CHANGED, [])
        if row.client_id in found.staged and not row.sealed
    ]
    if not (wanted and sync.sees_addresses):
        return {}, ""
    from contact_sync.run.sending.changed_fields import differences

    try:
        with asking_sendgrid(sync.definition) as sendgrid:
            contacts = sendgrid.contacts_by_email([row.email for row in wanted][:MOST])
    except SyncError as error:
        return {}, f"Values can't be shown: {error}"
    return {
        (row.client_id, str(ChangeKind.CHANGED)): differences(mapping, row, contacts[row.email])
        for row in wanted
        if row.email in contacts
    }, ""

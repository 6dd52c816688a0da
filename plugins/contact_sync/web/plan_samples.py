"""Some clients of each kind of a plan, with their values before and after, and some contacts that
it would remove.

Values that aren't kept are fetched as long as the plan waits: after, from what is staged; before,
from SendGrid, by one search. Nothing of that is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contact_sync.base.changes import ChangeKind
from contact_sync.base.errors import SyncError
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.read_back import shown
from contact_sync.postgres.cursor import Cursor
from contact_sync.reporting import plan_shown
from contact_sync.reporting.change_lines import Change
from contact_sync.reporting.shown_run import ShownRun
from contact_sync.state.changes import StagedChange
from contact_sync.state.for_people import changes
from contact_sync.state.for_people.planned_removals import PlannedRemoval
from contact_sync.web.changes_view import Values
from contact_sync.web.look_up import asking_sendgrid
from contact_sync.web.seen_sync import SeenSync

SAMPLES = 10
"""Of each kind."""
Contacts = dict[str, dict[str, Any]]
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


@dataclass(frozen=True, slots=True)
class RemovalRow:
    """A contact that would go: its client, address, why, what becomes of it, and the values that it
    holds now; none = they can't be shown, or not to this viewer."""

    client_id: int
    called: str
    address: str
    why: str
    becomes: str
    before: list[tuple[str, str]]


def sampled(cursor: Cursor, run_id: int) -> Sampled:
    """SAMPLES rows of each kind."""
    by_kind = changes.samples(cursor, run_id, SAMPLES)
    ids = {row.client_id for rows in by_kind.values() for row in rows}
    return Sampled(by_kind, changes.staged(cursor, run_id, sorted(ids)))


def unsealed(found: Sampled) -> list[StagedChange]:
    """Changed clients that are staged, and whose values aren't kept."""
    return [
        found.staged[row.client_id]
        for row in found.by_kind.get(ChangeKind.CHANGED, [])
        if row.client_id in found.staged and not row.sealed
    ]


def contacts_now(sync: SeenSync, emails: list[str]) -> tuple[Contacts, str]:
    """What SendGrid has, by address, for who may see it, of the first MOST; or why it can't be
    shown."""
    if not (emails and sync.sees_addresses):
        return {}, ""
    try:
        with asking_sendgrid(sync.definition) as sendgrid:
            return sendgrid.contacts_by_email(list(dict.fromkeys(emails))[:MOST]), ""
    except SyncError as error:
        return {}, f"Values can't be shown: {error}"


def values_now(wanted: list[StagedChange], contacts: Contacts, mapping: Mapping) -> Values:
    """Values of changed clients before and after, of those that SendGrid has."""
    from contact_sync.run.sending.changed_fields import differences

    return {
        (row.client_id, str(ChangeKind.CHANGED)): differences(mapping, row, contacts[row.email])
        for row in wanted
        if row.email in contacts
    }


def removal_rows(
    sync: SeenSync, run: ShownRun, found: list[PlannedRemoval], contacts: Contacts, mapping: Mapping
) -> list[RemovalRow]:
    """The contacts that would go, as the viewer may see them."""
    return [
        RemovalRow(
            row.client_id,
            row.called,
            sync.shown(row.email),
            plan_shown.reason(row.why),
            plan_shown.becomes(run, sync.definition, row.why),
            _held_values(contacts.get(row.email), mapping),
        )
        for row in found
    ]


def _held_values(contact: dict[str, Any] | None, mapping: Mapping) -> list[tuple[str, str]]:
    """Name and value of the fields that the sync fills, of those that hold one."""
    found = [(field.name, shown(field, contact)) for field in mapping.fields] if contact else []
    return [(name, str(value)) for name, value in found if value not in (None, "")]

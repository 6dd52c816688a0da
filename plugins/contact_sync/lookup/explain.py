"""Gather why a contact looks as it does, from B2CORE, the state database and, if asked, SendGrid.

Only reads, and no run is needed for it. What it returns is personal: whoever shows it asks first
whether the viewer may see it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from contact_sync.b2core.reader import CHOICE, Snapshot
from contact_sync.base import words
from contact_sync.base.client_life import Fate
from contact_sync.base.errors import ConfigError
from contact_sync.base.vocabulary import CLIENT_IDS, ExclusionReason, SuppressionKind, ValueProblem
from contact_sync.config.definition import SyncDefinition
from contact_sync.contacts.destination import Destination
from contact_sync.contacts.hash_keys import Hashing
from contact_sync.contacts.mapping import CLIENT_KEY, MappedField, Mapping
from contact_sync.contacts.payloads import values_of
from contact_sync.contacts.tombstones import Tombstones
from contact_sync.contacts.transform import NOTHING_REFUSED
from contact_sync.lookup.at_sendgrid import with_sendgrid
from contact_sync.lookup.find_clients import everybody_with, keys_of, short_snapshot, still_with
from contact_sync.lookup.one_client import (
    NO_CONTACT,
    ClientRow,
    OneContact,
    decided,
    decision_of,
    is_clear,
    read_client,
)
from contact_sync.postgres.cursor import Cursor
from contact_sync.reporting.explanation import (
    Choice,
    Explanation,
    FieldValue,
    Known,
    Removal,
    Sending,
    as_text,
)
from contact_sync.sendgrid.api import SendGridApi
from contact_sync.state import refused_values
from contact_sync.state.for_people import client as known_clients
from contact_sync.state.for_people.client import LedgerClient
from contact_sync.state.for_people.dropped import DroppedValue, values_of_client
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.suppressed import since_when
from contact_sync.state.for_people.syncs import SyncRow, sync_row
from contact_sync.sync import Databases

PROBLEMS: dict[str, str] = {
    ValueProblem.TOO_LONG: "cut: longer than the field holds",
    ValueProblem.ROUNDED: "rounded: SendGrid's numbers have two decimals",
}


def explain_client(
    sync: Databases,
    client_id: int,
    *,
    live: SendGridApi | None = None,
    destination: Destination | None = None,
) -> Explanation:
    """Everything about one client; `live`: the SendGrid that is asked, too, with one call.

    An id that nobody knows gives an Explanation that says so. Clients that share its address are
    looked for only where they decide what becomes of it; `find_clients` finds all of them.
    `destination`: list and fields to take in place of those of the last finished run.
    """
    if client_id not in CLIENT_IDS:
        raise ConfigError("A client's id is a whole number of at most 64 bits, as bigint is")
    known_by = sync.tombstones(), sync.hashing()
    with reading(sync.state) as cursor, short_snapshot(sync) as snapshot:
        look = sync_row(cursor, sync.definition.name)
        if look and destination:
            look = replace(look, destination=destination)
        mapping = look.destination.mapping if look and look.destination else None
        source = (snapshot, mapping)
        found = _explain(sync.definition, (cursor, look), source, client_id, known_by)
    return with_sendgrid(live, found, mapping) if live else found


def _explain(
    definition: SyncDefinition,
    state: tuple[Cursor, SyncRow | None],
    source: tuple[Snapshot, Mapping | None],
    client_id: int,
    known_by: tuple[Tombstones, Hashing],
) -> Explanation:
    cursor, look = state
    (snapshot, mapping), (tombstones, hashing) = source, known_by
    refused = (
        refused_values.read(cursor, look.sync_id, client_id, client_id) if look else NOTHING_REFUSED
    )
    row = read_client(snapshot, mapping, definition, client_id, hashing, refused)
    contact = row.contact if row else NO_CONTACT
    known: LedgerClient | None = None
    staged: list[Sending] = []
    removals: list[Removal] = []
    dropped: dict[str, DroppedValue] = {}
    if look:
        known = known_clients.look_at_client(cursor, look.sync_id, client_id)
        staged = known_clients.staged(cursor, look.sync_id, client_id)
        hashes = (contact.email_hash, (known.contact_hash or 0) if known else 0)
        removals = known_clients.noted_removals(cursor, look.sync_id, client_id, hashes)
        dropped = values_of_client(cursor, look.sync_id, client_id)
    out = _suppressions(definition, cursor, look, contact)
    decision, sharing = decided(row, known, {}, (), out, tombstones), dict[int, str | None]()
    rejected = set[int]()
    if not is_clear(row, decision):  # to find others scans the ledger, 0.1 s per million clients
        sharing, rejected = _sharing(state, (snapshot, hashing), known, contact)
        sharing.pop(client_id, None)
        decision = decided(row, known, sharing, rejected, out, tombstones)
    notes = _notes(definition, look)
    mentioned = {client_id, *sharing, *(removal.client_id for removal in removals)}
    own = row.source.get(CLIENT_KEY) if row else None
    keys = keys_of(mentioned, state, snapshot, has_keys=own is not None)
    return Explanation(
        sync=definition.name,
        client_id=client_id,
        read_at=snapshot.position().read_at,
        source=row.source if row else None,
        email=contact.email,
        decision=decision_of(row, decision, sharing, rejected, out),
        fields=_fields(mapping, row, known, dropped),
        choices=_choices(snapshot, client_id, row.source, notes) if row else [],  # may break it off
        sharing=sharing,
        known=_known(known, is_own=decision is not None and bool(decision.own[0])),
        staged=staged,
        removals=removals,
        notes=tuple(notes),
        keys=keys | ({client_id: own} if own else {}),
    )


def _suppressions(
    definition: SyncDefinition, cursor: Cursor, look: SyncRow | None, contact: OneContact
) -> dict[SuppressionKind, datetime]:
    """Suppressions of the client's address for which the definition excludes it, since when."""
    asked = definition.suppressions
    if look is None or asked is None:
        return {}
    return since_when(cursor, look.sync_id, contact.email_hash, asked.with_policy("exclude"))


def _sharing(
    state: tuple[Cursor, SyncRow | None],
    source: tuple[Snapshot, Hashing],
    known: LedgerClient | None,
    contact: OneContact,
) -> tuple[dict[int, str | None], set[int]]:
    """Everybody with the client's address, as far as runs have seen it; if no run has seen the
    client with it, all that B2CORE has. And those of them that runs have rejected."""
    (cursor, look), (snapshot, hashing) = state, source
    email_hash = contact.email_hash
    hashed = email_hash, hashing
    if look and known and known.email_hash == email_hash:
        others = known_clients.clients_of_address(cursor, look.sync_id, email_hash)
        rejected = {o.client_id for o in others if o.state == Fate.REJECTED.word}
        return still_with(snapshot, hashed, [o.client_id for o in others]), rejected
    return everybody_with(snapshot, contact.email, hashed), set()


def _choices(
    snapshot: Snapshot, client_id: int, source: dict[str, str], notes: list[str]
) -> list[Choice]:
    """All phone and address rows; says in `notes` when they can't be had or don't fit."""
    try:
        rows = snapshot.choices(client_id)
    except ConfigError as error:
        notes.append(f"Why this phone and address were chosen isn't known: {error}")
        return []
    choices = [
        Choice(
            **{key: row[key] for key in CHOICE} | {"updated_at": _moment(row["updated_at"])},
            values={k: as_text(v) for k, v in row.items() if k not in CHOICE and v is not None},
        )
        for row in rows
    ]
    for part, first in (("phone", "phone"), ("address", "city")):
        chosen = next((c for c in choices if c.part == part and c.place == 1), None)
        if first in source and source[first] != (chosen.values.get(first, "") if chosen else ""):
            notes.append(
                f"explain.sql and clients.sql choose different {part} rows: fix explain.sql. "
                f"What is sent is what clients.sql says"
            )
    return choices


def _moment(value: Any) -> datetime | None:
    """explain.sql's `updated_at`, whatever its type: without a zone in UTC; None for what is no
    moment of a calendar, such as `infinity`."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.combine(value, time(), UTC) if isinstance(value, date) else None


def _notes(definition: SyncDefinition, look: SyncRow | None) -> list[str]:
    notes = []
    if not definition.enabled:
        notes.append("This sync is disabled: no run sends anything.")
    if definition.shadow:
        notes.append("This sync is a shadow: no run sends anything, whatever is said below.")
    if look and look.is_running:
        notes.append("A run is at work: this may change at any moment.")
    if look is None or look.destination is None:
        return [*notes, "No run has checked its setup yet: what would be sent isn't known."]
    mapping = look.destination.mapping
    used = {(f.name.lower(), f.column) for f in (mapping.email, *mapping.fields)}
    wanted = {(name.lower(), target.column) for name, target in definition.fields.items()}
    if used != wanted or look.destination.list_name != definition.list:
        notes.append(
            "The definition was edited since the last run: this shows the mapping of that run. "
            "The next one is a full run and sends what the change changes."
        )
    return notes


def _known(row: LedgerClient | None, *, is_own: bool) -> Known | None:
    if row is None:
        return None
    fate = Fate.of(row.state)
    return Known(
        state=fate.counted_as.word,
        field=row.field or "",
        reason=ExclusionReason.SHARED_ADDRESS if fate is Fate.SHARED else row.reason or "",
        detail=row.detail or "",
        tries=row.tries,
        rejected_since=row.rejected_since,
        absent=row.absent,
        updated_at=row.updated_at,
        contact=row.email or "",
        own=is_own,
        sent=row.sent,
    )


def _fields(
    mapping: Mapping | None,
    row: ClientRow | None,
    known: LedgerClient | None,
    dropped: dict[str, DroppedValue],
) -> list[FieldValue]:
    if mapping is None:
        return []
    stale = known.stale if known else 0
    values = values_of(row.contact.payload, mapping) if row else [""] * len(mapping.fields)
    email = row.contact.email if row else ""
    fields = [
        _field(field, value, row, is_stale=field.bit >= 0 and bool(stale >> field.bit & 1))
        for field, value in zip((mapping.email, *mapping.fields), (email, *values), strict=True)
    ]
    return [_with_since(field, row, dropped.get(field.name)) for field in fields]


def _with_since(field: FieldValue, row: ClientRow | None, noted: DroppedValue | None) -> FieldValue:
    """Since when the value doesn't fit, or what a run saw last where it does by now."""
    if noted is None:
        return field
    reason = row.dropped.get(field.name) if row else None
    if reason == noted.reason:
        return replace(field, since=noted.since)
    if reason is not None or field.problem:  # for another reason now, which no run has seen yet
        return field
    problem = f"as the last run saw it: {_problem(noted.reason)}"
    return replace(field, problem=problem, since=noted.since)


def _problem(reason: str) -> str:
    return PROBLEMS.get(reason, f"left out: {words.reason(reason)}")


def _field(field: MappedField, value: str, row: ClientRow | None, *, is_stale: bool) -> FieldValue:
    reason = row.dropped.get(field.name, "") if row else ""
    problem = reason and _problem(reason)
    if row and row.contact.field == field.name:
        why = words.reason(row.contact.reason, row.contact.detail)
        problem = f"the client is rejected for it: {why}"
    return FieldValue(
        name=field.name,
        type=str(field.type),
        column=field.column,
        source=row.source.get(field.column, "") if row else "",
        value=value,
        problem=problem,
        stale=is_stale,
    )

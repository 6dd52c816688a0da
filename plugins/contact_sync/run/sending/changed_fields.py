"""Which fields of changed contacts differ from what SendGrid has, before anything is sent.

The state database has no values to compare with. But a contact that was confirmed is looked up
anyway before it is changed (`removed_by_hand`), and what SendGrid shows then is the truest value
before. Where a run changes too many to look them up, and in mode resend and a dry run, some are
looked up for this alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from contact_sync.base.changes import ChangeKind
from contact_sync.base.errors import RequestRefused, RetryableError
from contact_sync.base.json_columns import Plan
from contact_sync.base.numbers import count
from contact_sync.contacts.hash_keys import HashKey
from contact_sync.contacts.mapping import Mapping as Mapped
from contact_sync.contacts.meaning import as_text
from contact_sync.contacts.payloads import values_of
from contact_sync.contacts.read_back import is_as_sent, shown
from contact_sync.contacts.sealed_values import BeforeAfter, seal
from contact_sync.run.context import mapping_of
from contact_sync.run.sending.search import search
from contact_sync.sendgrid.api import MAX_LOOKUP
from contact_sync.state import batches, changes, leases
from contact_sync.state.changes import ChangedFields, StagedChange
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
SAMPLE = 1_000
"""So many changed contacts are looked up for their fields alone: ten calls."""
ADDRESS = "email"


def differences(mapping: Mapped, row: StagedChange, contact: Mapping[str, Any]) -> BeforeAfter:
    """Each field that sending the row changes in the contact, with its values before and after. A
    value that is left out, and not emptied, stays as it is. Pure."""
    found, held = {}, dict(contact)
    for field, value in zip(mapping.fields, values_of(row.payload, mapping), strict=True):
        if value == "" and not row.clears >> field.bit & 1:
            continue  # it stays
        if not is_as_sent(field, value, before := shown(field, held)):
            found[field.name] = (as_text(before), value)
    return found


def note(
    sync: Sync, run: Run, rows: Iterable[StagedChange], contacts: Mapping[str, dict[str, Any]]
) -> None:
    """Note which fields of the rows' contacts change; `contacts` by address, as SendGrid shows
    them. Who isn't there has nothing before."""
    mapping, key = mapping_of(run), _key(sync)
    bits = {field.name: field.bit for field in mapping.fields}
    found = {}
    for row in rows:
        if (contact := contacts.get(row.email)) is not None:
            values = differences(mapping, row, contact)
            mask = sum(1 << bits[name] for name in values)
            sealed = seal(key, (run.run_id, row.client_id), values) if key else None
            found[row.client_id] = ChangedFields(mask, sealed)
    with sync.state.transaction(None if run.dry_run else run.fence) as cursor:
        changes.note_fields(cursor, run.run_id, ChangeKind.CHANGED, found)


def note_looked_up(
    sync: Sync, run: Run, client_ids: Iterable[int], contacts: Mapping[str, dict[str, Any]]
) -> None:
    """The same for staged clients whose contacts have been looked up."""
    with sync.state.transaction() as cursor:
        rows = changes.staged(cursor, run.run_id, list(client_ids))
    if rows:
        note(sync, run, rows, contacts)


def look_up_some(sync: Sync, run: Run, rows: list[StagedChange]) -> None:
    """Look up to SAMPLE of the rows up and note which of their fields change. A search that
    SendGrid refuses, or doesn't answer, is left out: nothing depends on it."""
    for start in range(0, min(len(rows), SAMPLE), MAX_LOOKUP):
        part = rows[start : start + MAX_LOOKUP]
        if not run.dry_run:
            leases.renew_lease(sync.state, run)
        try:
            contacts, _ = search(sync, [row.email for row in part])
        except (RequestRefused, RetryableError) as error:
            log.info(
                "The fields of %s aren't compared: %s", count(len(part), "changed contact"), error
            )
            return
        note(sync, run, part, contacts)


def compare_changed(sync: Sync, run: Run, plan: Plan) -> Plan:
    """The plan with how many changed clients were compared, and how many change each field; after
    those that were looked up anyway. Repeating it changes nothing."""
    with sync.state.transaction() as cursor:
        if batches.has_begun_to_send(cursor, run.run_id):
            return plan
        rows = changes.sample(cursor, run.run_id, SAMPLE)
    look_up_some(sync, run, rows)
    _note_addresses(sync, run)
    return with_fields(sync, run, plan)


def with_fields(sync: Sync, run: Run, plan: Plan) -> Plan:
    """The plan with what is noted of fields."""
    bits = {field.name: field.bit for field in mapping_of(run).fields}
    with sync.state.transaction() as cursor:
        compared, by_field = changes.count_fields(cursor, run.run_id, bits)
    return replace(plan, compared=compared, changed_fields=by_field)


def _note_addresses(sync: Sync, run: Run) -> None:
    """The former and the new address of clients that have moved, if values are kept."""
    if (key := _key(sync)) is None:
        return
    with sync.state.transaction(run.fence) as cursor:
        found = {
            client: ChangedFields(0, seal(key, (run.run_id, client), {ADDRESS: addresses}))
            for client, addresses in changes.moved(cursor, run.run_id).items()
        }
        changes.note_fields(cursor, run.run_id, ChangeKind.MOVED, found)


def _key(sync: Sync) -> HashKey | None:
    """The key that values are encrypted with; None = none is kept. Raises ConfigError."""
    is_kept = sync.definition.changes.values == "encrypted"
    return sync.hash_keys().current if is_kept else None

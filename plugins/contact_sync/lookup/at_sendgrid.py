"""What SendGrid has of one client now, beside what would be sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from contact_sync.base.errors import RequestRefused
from contact_sync.contacts.mapping import MappedField, Mapping
from contact_sync.contacts.read_back import is_as_sent, shown
from contact_sync.reporting.explanation import AtSendGrid, Explanation, FieldValue, as_text
from contact_sync.sendgrid.api import SendGridApi, is_searchable


def with_sendgrid(
    sendgrid: SendGridApi, found: Explanation, mapping: Mapping | None
) -> Explanation:
    """Ask SendGrid for the contact, under the address that it was confirmed with."""
    address = (found.known.contact if found.known else "") or found.email
    if mapping is None or not address:
        return found
    if not is_searchable(address):
        return replace(found, at_sendgrid=AtSendGrid(found=None))
    try:
        contact = sendgrid.contacts_by_email([address]).get(address)
    except RequestRefused:
        return replace(found, at_sendgrid=AtSendGrid(found=None))
    if contact is None:
        return replace(found, at_sendgrid=AtSendGrid(found=False))
    lists = contact.get("list_ids") or []
    on_list = mapping.list_id in lists if mapping.list_id else None
    by_name = {f.name: f for f in (mapping.email, *mapping.fields)}
    fields = [_compared(f, by_name[f.name], contact) for f in found.fields]
    at = contact.get("updated_at")
    return replace(
        found, fields=fields, at_sendgrid=AtSendGrid(True, on_list, str(at) if at else None)
    )


def _compared(value: FieldValue, field: MappedField, contact: dict[str, Any]) -> FieldValue:
    there = shown(field, contact)
    return replace(
        value, at_sendgrid=as_text(there), differs=not is_as_sent(field, value.value, there)
    )

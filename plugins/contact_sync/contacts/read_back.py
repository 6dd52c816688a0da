"""Compare a contact that SendGrid shows with what was sent. Pure.

Answers show custom fields by name, unset text as "" or not at all, dates with a time (recordings
of the real API; the OpenAPI description gives no format for dates).
"""

from __future__ import annotations

from typing import Any

from contact_sync.base.vocabulary import FieldType
from contact_sync.contacts.mapping import MappedField, Mapping
from contact_sync.contacts.payloads import OutboxRow, values_of


def holds(contact: dict[str, Any], row: OutboxRow, mapping: Mapping) -> bool:
    """Whether the contact has every value that was sent, none that was to be cleared, and the list.

    A field that was left out may hold anything.
    """
    if mapping.list_id and mapping.list_id not in (contact.get("list_ids") or []):
        return False
    for field, value in zip(mapping.fields, values_of(row.payload, mapping), strict=True):
        if value == "" and not row.clears >> field.bit & 1:
            continue
        if not is_as_sent(field, value, shown(field, contact)):
            return False
    return True


def shown(field: MappedField, contact: dict[str, Any]) -> Any:
    """The field's value in SendGrid's answer; None or "" = none."""
    if not field.custom:
        return contact.get(field.name)
    custom = contact.get("custom_fields")
    if not isinstance(custom, dict):
        return None
    if field.name in custom:
        return custom[field.name]
    return next((v for k, v in custom.items() if str(k).lower() == field.name.lower()), None)


def is_as_sent(field: MappedField, sent: str, found: Any) -> bool:
    """Whether the value that SendGrid shows is the one that was sent; "" = none."""
    if sent == "":
        return found in (None, "")
    if field.type is FieldType.NUMBER:
        try:
            return float(sent) == float(found)
        except (TypeError, ValueError):
            return False
    text = "" if found is None else str(found)
    return text[:10] == sent[:10] if field.type is FieldType.DATE else text == sent

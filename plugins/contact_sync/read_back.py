"""Compare a contact that SendGrid shows with what was sent. Pure.

Answers show custom fields by name, unset text as "" or not at all, dates with a time (recordings
of the real API; the OpenAPI description gives no format for dates).
"""

from __future__ import annotations

from typing import Any

from contact_sync.mapping import MappedField, Mapping
from contact_sync.models import SEPARATOR, FieldType
from contact_sync.payloads import OutboxRow


def holds(contact: dict[str, Any], row: OutboxRow, mapping: Mapping) -> bool:
    """Whether the contact has every value that was sent, none that was to be cleared, and the list.

    A field that was left out may hold anything.
    """
    if mapping.list_id and mapping.list_id not in (contact.get("list_ids") or []):
        return False
    shown = contact.get("custom_fields")
    custom = {str(k).lower(): v for k, v in shown.items()} if isinstance(shown, dict) else {}
    for field, value in zip(mapping.fields, row.payload.split(SEPARATOR), strict=True):
        if value == "" and not row.clears >> field.bit & 1:
            continue
        found = custom.get(field.name.lower()) if field.custom else contact.get(field.name)
        if not _equal(field, value, found):
            return False
    return True


def _equal(field: MappedField, sent: str, found: Any) -> bool:
    if sent == "":
        return found in (None, "")
    if field.type is FieldType.NUMBER:
        try:
            return float(sent) == float(found)
        except (TypeError, ValueError):
            return False
    text = "" if found is None else str(found)
    return text[:10] == sent[:10] if field.type is FieldType.DATE else text == sent

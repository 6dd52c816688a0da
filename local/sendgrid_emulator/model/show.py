"""Contacts as answers show them: custom fields by name, unset texts empty [K recordings]."""

from __future__ import annotations

from typing import Any

from local.sendgrid_emulator.model.account import Account
from local.sendgrid_emulator.model.clock import iso, iso_nanoseconds
from local.sendgrid_emulator.model.contacts import Contact
from local.sendgrid_emulator.model.fields import (
    ALTERNATE_EMAILS,
    IDENTIFIERS,
    WRITABLE,
    FieldDefinition,
)

HIDDEN_WHEN_UNSET = set(IDENTIFIERS) - {"email"}  # absent in recording 2026
TEXTS = [
    (slot, name)
    for slot, name in enumerate(WRITABLE)
    if slot != ALTERNATE_EMAILS and name not in HIDDEN_WHEN_UNSET
]
OTHERS = [(slot, name) for slot, name in enumerate(WRITABLE) if name in HIDDEN_WHEN_UNSET]


class Showcase:
    """Shows contacts with the lists and fields that exist at this moment."""

    def __init__(self, account: Account, base_url: str) -> None:
        """Look up the lists and fields once for all contacts of an answer."""
        self._lists = account.lists
        self._custom: list[FieldDefinition] = list(account.fields.custom.values())
        self._base_url = base_url
        self._settings = account.settings

    def contact(self, contact: Contact) -> dict[str, Any]:
        """Return a contact as searches, GET contacts/{id} and batch show it."""
        values = contact.values
        shown: dict[str, Any] = {"id": contact.id}
        for slot, name in TEXTS:
            shown[name] = values[slot] or ""
        for slot, name in OTHERS:
            if values[slot] is not None:
                shown[name] = values[slot]
        shown["alternate_emails"] = values[ALTERNATE_EMAILS] or []
        shown["list_ids"] = [item for item in contact.list_ids if item in self._lists]
        shown["segment_ids"] = None if self._settings.segment_ids == "null" else []
        shown["custom_fields"] = {
            field.name: values[field.slot]
            for field in self._custom
            if field.slot < len(values) and values[field.slot] is not None
        }
        shown["created_at"] = iso(contact.created_at)
        shown["updated_at"] = iso(contact.updated_at)
        shown["_metadata"] = {"self": f"{self._base_url}/v3/marketing/contacts/{contact.id}"}
        return shown

    def newest(self, contact: Contact) -> dict[str, Any]:
        """Return a contact with the oddities of GET contacts [K recording 2026]."""
        shown = self.contact(contact)
        shown["alternate_emails"] = shown["alternate_emails"] or None
        shown["segment_ids"] = None
        if self._settings.newest_segment_ids == "left out":
            del shown["segment_ids"]
        shown["updated_at"] = iso_nanoseconds(contact.updated_at)
        # Singular: so it is in the real answers.
        shown["_metadata"] = {"self": f"{self._base_url}/v3/marketing/contact/{contact.id}"}
        return shown

"""The contacts of an account and how a row is merged into them.

A contact is one object with one tuple of values, because a million of them have to fit. Only the
event loop touches the store, so it needs no lock; big jobs apply their rows in short pieces.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from local.sendgrid_emulator.model.fields import (
    ALTERNATE_EMAILS,
    EMAIL,
    IDENTIFIERS,
    OTHER_IDENTIFIERS,
    SLOTS,
)
from local.sendgrid_emulator.model.values import RowError, Value

Change = Literal["created", "updated", "unchanged"]
PHONE = SLOTS["phone_number"]
IDENTIFIER_SLOTS = tuple(SLOTS[name] for name in IDENTIFIERS)


class LimitReached(Exception):  # the outcome of a job, not a fault of the emulator
    """The plan's contact limit ends a job [K go#413]."""


class Row(NamedTuple):
    """What one row sets: values by slot. A slot that is not named keeps its value."""

    slots: Sequence[int]
    values: Sequence[Value]


@dataclass(slots=True, eq=False)
class Contact:
    """One contact; times in seconds since the epoch."""

    id: str
    values: tuple[Value, ...]
    list_ids: tuple[str, ...]
    created_at: float
    updated_at: float


def new_id() -> str:
    """Return a random UUID; uuid4 asks the system for each, which a million contacts notice."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


class Contacts:
    """All contacts, found by id and by any of their identifiers."""

    def __init__(self) -> None:
        """Start empty."""
        self.by_id: dict[str, Contact] = {}
        self.by_alternate: dict[str, Contact] = {}
        self.by_identifier: dict[int, dict[Value, Contact]] = {
            slot: {} for slot in IDENTIFIER_SLOTS
        }
        self.list_counts: Counter[str] = Counter()
        self.limit: int | None = None
        self.strict_identifiers = True
        self.unique_phones = False
        self.lag = 0.0  # seconds for which former states are kept, see `as_of`
        self._former: dict[str, list[tuple[float, Contact | None]]] = {}

    def __len__(self) -> int:
        """Return how many contacts there are."""
        return len(self.by_id)

    def by_email(self, address: str) -> Contact | None:
        """Return the contact that has an address, as its own or as an alternate one."""
        own = self.by_identifier[EMAIL].get(address)
        return own if own is not None else self.by_alternate.get(address)

    def as_of(self, moment: float, address: str) -> Contact | None:
        """Return what `by_email` would have returned at a moment, if changes were kept since."""
        for changed_at, before in self._former.get(address, ()):
            if changed_at > moment:
                return before
        return self.by_email(address)

    def upsert(
        self, row: Row, list_ids: tuple[str, ...], width: int, created_at: float, now: float
    ) -> Change:
        """Create the contact of a row or merge the row into it.

        Raise RowError when its identifiers do not lead to one contact. Values that are not named
        stay, lists are only added, and a row that changes nothing leaves `updated_at` [K
        recording 2021]. `width` is the number of slots given out so far.
        """
        contact = self._find(row)
        if self.unique_phones:
            self._refuse_known_phone(row, contact)
        if contact is None:
            self._create(row, list_ids, width, created_at, now)
            return "created"
        if len(contact.values) < width:  # fields were added since it was written
            contact.values += (None,) * (width - len(contact.values))
        merged = list(contact.values)
        for slot, value in zip(row.slots, row.values, strict=True):
            merged[slot] = value
        values = tuple(merged)
        added = tuple(item for item in list_ids if item not in contact.list_ids)
        if values == contact.values and not added:
            return "unchanged"
        self._keep(contact, now)
        self._unlink(contact)
        contact.values = values
        contact.list_ids += added
        contact.updated_at = now
        self._link(contact)
        return "updated"

    def delete(self, contact_ids: Iterable[str], now: float) -> int:
        """Delete contacts and return how many there were."""
        deleted = 0
        for contact_id in contact_ids:
            contact = self.by_id.pop(contact_id, None)
            if contact is not None:
                self._keep(contact, now)
                self._unlink(contact)
                deleted += 1
        return deleted

    def remove_from_list(self, list_id: str, contact_ids: Iterable[str], now: float) -> int:
        """Take contacts off a list and return how many were on it."""
        removed = 0
        for contact_id in contact_ids:
            contact = self.by_id.get(contact_id)
            if contact is not None and list_id in contact.list_ids:
                self._keep(contact, now)
                contact.list_ids = tuple(item for item in contact.list_ids if item != list_id)
                contact.updated_at = now
                self.list_counts[list_id] -= 1
                removed += 1
        return removed

    def remove_identifier(self, contact_id: str, slot: int, value: Value, now: float) -> bool:
        """Take an identifier from a contact; False if it is another one, or the only one."""
        contact = self.by_id.get(contact_id)
        if contact is None or value is None or contact.values[slot] != value:
            return False
        if sum(contact.values[item] is not None for item in IDENTIFIER_SLOTS) == 1:
            return False
        self._keep(contact, now)
        self._unlink(contact)
        contact.values = (*contact.values[:slot], None, *contact.values[slot + 1 :])
        contact.updated_at = now
        self._link(contact)
        return True

    def on_list(self, list_id: str) -> list[str]:
        """Return the ids of the contacts on a list."""
        return [contact.id for contact in self.by_id.values() if list_id in contact.list_ids]

    def _find(self, row: Row) -> Contact | None:
        sent = {
            slot: row.values[row.slots.index(slot)]
            for slot in IDENTIFIER_SLOTS
            if slot in row.slots
        }
        found = [self.by_identifier[slot].get(value) for slot, value in sent.items()]
        contact = next((item for item in found if item is not None), None)
        if contact is None:
            return None
        if any(item is not None and item is not contact for item in found):
            raise RowError("the identifiers belong to different contacts")
        if len(sent) > 1 or any(contact.values[OTHER_IDENTIFIERS]):
            self._check_identifiers(contact, sent)
        return contact

    def _check_identifiers(self, contact: Contact, sent: dict[int, Value]) -> None:
        """Refuse changed identifiers, and missing ones unless the settings let them be."""
        for slot in IDENTIFIER_SLOTS:
            stored = contact.values[slot]
            if stored is None or stored == sent.get(slot):
                continue
            if slot in sent:
                raise RowError("identifiers of a contact cannot be changed")
            if self.strict_identifiers:
                raise RowError("all existing identifiers of the contact must be present")

    def _refuse_known_phone(self, row: Row, own: Contact | None) -> None:
        phone = dict(zip(row.slots, row.values, strict=True)).get(PHONE)
        others = (contact for contact in self.by_id.values() if contact is not own)
        if phone is not None and any(contact.values[PHONE] == phone for contact in others):
            raise RowError(f"phone number '{phone}' belongs to another contact")

    def _create(
        self, row: Row, list_ids: tuple[str, ...], width: int, created_at: float, now: float
    ) -> None:
        if self.limit is not None and len(self.by_id) >= self.limit:
            raise LimitReached
        values: list[Value] = [None] * width
        for slot, value in zip(row.slots, row.values, strict=True):
            values[slot] = value
        contact = Contact(new_id(), tuple(values), list_ids, created_at, now)
        self.by_id[contact.id] = contact
        if self.lag:
            self._keep_before(contact.values, None, now)
        self._link(contact)

    def _keep(self, contact: Contact, now: float) -> None:
        """Keep a contact as it is before a change."""
        if self.lag:
            self._keep_before(contact.values, replace(contact), now)

    def _keep_before(self, values: tuple[Value, ...], before: Contact | None, now: float) -> None:
        alternates = values[ALTERNATE_EMAILS]
        addresses = alternates if isinstance(alternates, tuple) else ()
        for address in {str(values[EMAIL]), *addresses}:
            kept = [item for item in self._former.get(address, ()) if item[0] > now - self.lag]
            self._former[address] = [*kept, (now, before)]

    def _link(self, contact: Contact) -> None:
        for slot, index in self.by_identifier.items():
            value = contact.values[slot]
            if value is not None:
                index[value] = contact
        alternates = contact.values[ALTERNATE_EMAILS]
        if isinstance(alternates, tuple):
            self.by_alternate.update(dict.fromkeys(alternates, contact))
        for list_id in contact.list_ids:
            self.list_counts[list_id] += 1

    def _unlink(self, contact: Contact) -> None:
        for slot, index in self.by_identifier.items():
            index.pop(contact.values[slot], None)
        alternates = contact.values[ALTERNATE_EMAILS]
        if isinstance(alternates, tuple):
            for address in alternates:
                if self.by_alternate.get(address) is contact:
                    del self.by_alternate[address]
        for list_id in contact.list_ids:
            self.list_counts[list_id] -= 1

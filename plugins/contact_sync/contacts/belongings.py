"""What a contact holds beside what syncs fill, and how it goes along to a new address. Pure.

An address is a contact's identity at SendGrid: a client with a new one gets a new contact, and what
people or other tools have put on the former one would be lost with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contact_sync.base.json_columns import Belongings
from contact_sync.base.vocabulary import FieldType, SendGridField

Contact = Mapping[str, Any]
TEXTS = (
    "first_name", "last_name", "address_line_1", "address_line_2", "city", "state_province_region",
    "postal_code", "country", "phone_number", "whatsapp", "line", "facebook", "unique_name",
)  # fmt: skip
"""Reserved fields that can be written (OAS `contact`, recordings); the last four are deprecated."""
IMMOVABLE = ("alternate_emails", "phone_number_id", "external_id", "anonymous_id")
"""An identifier belongs to one contact, and an alternate address finds one: as long as the former
contact has them, no other one can."""


@dataclass(frozen=True, slots=True)
class Owned:
    """What syncs fill and nobody else: lower-case names of fields, and ids of lists."""

    fields: frozenset[str]
    lists: frozenset[str]


@dataclass(frozen=True, slots=True)
class Mover:
    """A client that gets the address `email`; `former`: that of its contact, None = it had none."""

    client_id: int
    former: str | None
    email: str


def foreign_values(contact: Contact, owned: Owned) -> dict[str, Any]:
    """Values by field name, of fields that no sync fills and that can be written."""
    custom = contact.get("custom_fields")
    shown = {name: contact.get(name) for name in TEXTS} | (
        custom if isinstance(custom, dict) else {}
    )
    return {
        name: value
        for name, value in shown.items()
        if value not in (None, "") and name.lower() not in owned.fields
    }


def foreign_lists(contact: Contact, owned: Owned) -> list[str]:
    """Ids of the lists that it is on beside those of syncs."""
    return [found for found in contact.get("list_ids") or () if found not in owned.lists]


def belongings(
    mover: Mover,
    found: Mapping[str, Contact],
    leaving: Collection[str],
    owned: Owned,
    fields: Iterable[SendGridField],
) -> Belongings:
    """What the mover's new contact is given and loses. `found`: the contacts that exist, by
    address; `fields`: the account's.

    `leaving`: addresses whose client moves away in the same run and takes along what is there: it
    makes way. What else is at the new address already is somebody else's, and is left as it is.
    """
    texts = {field.name for field in fields if field.type is FieldType.TEXT}
    old = found.get(mover.former or "", {})
    new = found.get(mover.email, {})
    values, there = foreign_values(old, owned), foreign_values(new, owned)
    lists, on = foreign_lists(old, owned), foreign_lists(new, owned)
    stays = [name for name in IMMOVABLE if old.get(name)]
    clears: list[str] = []
    leaves: list[str] = []
    if mover.email in leaving:
        left = [name for name in there if name not in values]
        clears = [name for name in left if name in texts]
        stays += [name for name in left if name not in texts]
        leaves = [one for one in on if one not in lists]
    else:
        values = {name: value for name, value in values.items() if name not in there}
    return Belongings(
        values,
        tuple(sorted(one for one in lists if one not in on)),
        tuple(clears),
        tuple(leaves),
        tuple(stays),
    )


def holds(contact: Contact | None, given: Belongings) -> bool:
    """Whether SendGrid shows the contact with all that it was given, and without what it loses."""
    if contact is None:
        return False
    everything = foreign_values(contact, Owned(frozenset(), frozenset()))
    lists = set(contact.get("list_ids") or ())
    return (
        all(_same(everything.get(name), value) for name, value in given.values.items())
        and everything.keys().isdisjoint(given.clears)
        and lists.issuperset(given.lists)
        and lists.isdisjoint(given.leaves)
    )


def _same(found: object, given: object) -> bool:
    """Numbers as numbers; texts, and dates as SendGrid showed them, as they are."""
    return found == given


def possible(
    given: Belongings, fields: Iterable[SendGridField], lists: Collection[str]
) -> Belongings:
    """Without what the account doesn't have any more: fields, and lists by id."""
    names = {field.name for field in fields}
    return Belongings(
        {name: value for name, value in given.values.items() if name in names},
        tuple(one for one in given.lists if one in lists),
        tuple(name for name in given.clears if name in names),
        tuple(one for one in given.leaves if one in lists),
        given.stays,
    )


def contact_of(email: str, given: Belongings, fields: Iterable[SendGridField]) -> dict[str, Any]:
    """The contact of a JSON upsert, custom fields by id; `given` is possible with these fields."""
    by_name = {field.name: field for field in fields}
    contact: dict[str, Any] = {"email": email}
    custom: dict[str, Any] = {}
    for name, value in (dict.fromkeys(given.clears, "") | given.values).items():
        field = by_name[name]
        target, key = (custom, field.id) if field.custom else (contact, name)
        target[key] = value
    return contact | ({"custom_fields": custom} if custom else {})

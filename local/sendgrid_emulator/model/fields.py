"""Field definitions: the 29 reserved ones and the account's custom ones.

Every writable field has a slot, its place in a contact's tuple of values. Slots and ids are never
used twice, so deleting a field needs no walk over a million contacts.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any, Literal, get_args

from local.sendgrid_emulator.model.refusal import Refusal

FieldType = Literal["Text", "Number", "Date"]
TYPE_SUFFIX: dict[FieldType, str] = {"Text": "T", "Number": "N", "Date": "D"}
FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
MAX_CUSTOM_FIELDS = 500  # API description, Custom fields
MAX_CUSTOM_TEXT = 1000  # sendgrid/docs, pull request 2954
NO_LIMIT = 1_000_000

# Name, type and longest value, in the order of the ids _rf0 to _rf28 [K recording 2026]; lengths
# from the API description. 0 = cannot be written as a field. read_only is on exactly 15 to 23.
RESERVED: tuple[tuple[str, FieldType, int], ...] = (
    ("first_name", "Text", 50),
    ("last_name", "Text", 50),
    ("email", "Text", 254),
    ("alternate_emails", "Text", 254),
    ("address_line_1", "Text", 100),
    ("address_line_2", "Text", 100),
    ("city", "Text", 60),
    ("state_province_region", "Text", 50),
    ("postal_code", "Text", NO_LIMIT),
    ("country", "Text", 50),
    ("phone_number", "Text", NO_LIMIT),
    ("whatsapp", "Text", NO_LIMIT),
    ("line", "Text", NO_LIMIT),
    ("facebook", "Text", NO_LIMIT),
    ("unique_name", "Text", NO_LIMIT),
    ("email_domains", "Text", 0),
    ("last_clicked", "Date", 0),
    ("last_opened", "Date", 0),
    ("last_emailed", "Date", 0),
    ("singlesend_id", "Text", 0),
    ("automation_id", "Text", 0),
    ("created_at", "Date", 0),
    ("updated_at", "Date", 0),
    ("contact_id", "Text", 0),
    ("phone_number_id", "Text", NO_LIMIT),
    ("external_id", "Text", 254),
    ("anonymous_id", "Text", 254),
    ("list_ids", "Text", 0),
    ("segment_ids", "Text", 0),
)
READ_ONLY = range(15, 24)
IDENTIFIERS = ("email", "phone_number_id", "external_id", "anonymous_id")
IDENTIFIER_COUNTS = dict(zip(("EID", "PHNID", "EXTID", "AID"), IDENTIFIERS, strict=True))
"""What counts of contacts call the identifiers [K recording 2026]."""
WRITABLE = tuple(name for name, _, longest in RESERVED if longest)
SLOTS = {name: slot for slot, name in enumerate(WRITABLE)}
EMAIL = SLOTS["email"]
ALTERNATE_EMAILS = SLOTS["alternate_emails"]
# The three identifiers beside the address stand together at the end of the reserved slots.
OTHER_IDENTIFIERS = slice(SLOTS["phone_number_id"], SLOTS["anonymous_id"] + 1)


@dataclass(slots=True)
class FieldDefinition:
    """One field; `slot` is -1 when it cannot be written."""

    id: str
    name: str
    field_type: FieldType
    slot: int
    max_length: int
    read_only: bool = False
    usable_at: float = 0.0

    @property
    def kind(self) -> Literal["reserved", "Text", "Number", "Date"]:
        """Return the type of a custom field; reserved ones that can be written are texts."""
        return "reserved" if self.id.startswith("_rf") else self.field_type

    def answer(self, base_url: str) -> dict[str, Any]:
        """Return the field as the API shows it; `read_only` only where it is true [K]."""
        shown: dict[str, Any] = {"id": self.id, "name": self.name, "field_type": self.field_type}
        if self.read_only:
            shown["read_only"] = True
        if not self.id.startswith("_rf"):
            link = f"{base_url}/v3/marketing/field_definitions/{self.id}"
            shown["_metadata"] = {"self": link}
        return shown


def reserved_fields() -> list[FieldDefinition]:
    """Return the fields that every account has."""
    return [
        FieldDefinition(
            id=f"_rf{number}_{TYPE_SUFFIX[field_type]}",
            name=name,
            field_type=field_type,
            slot=SLOTS.get(name, -1),
            max_length=longest,
            read_only=number in READ_ONLY,
        )
        for number, (name, field_type, longest) in enumerate(RESERVED)
    ]


class FieldDefinitions:
    """The fields of one account, by id."""

    def __init__(self) -> None:
        """Start with the reserved fields only."""
        self.reserved = reserved_fields()
        self.custom: dict[str, FieldDefinition] = {}
        self.width = len(WRITABLE)  # slots given out so far
        # Ids differ between accounts [K docs#5793]: a random start catches those who store them.
        self._number = secrets.randbelow(40)

    def get(self, field_id: str) -> FieldDefinition | None:
        """Return a field of either kind, or None."""
        if field_id in self.custom:
            return self.custom[field_id]
        return next((field for field in self.reserved if field.id == field_id), None)

    def create(self, name: object, field_type: object, usable_at: float) -> FieldDefinition:
        """Add a custom field; refuse as POST field_definitions does."""
        checked = self._new_name(name)
        if field_type not in get_args(FieldType):
            raise Refusal(400, "field_type must be Text, Number or Date", "field_type")
        if len(self.custom) >= MAX_CUSTOM_FIELDS:
            raise Refusal(400, f"you can have up to {MAX_CUSTOM_FIELDS} custom fields", "name")
        kind: FieldType = field_type  # type: ignore[assignment]  # checked just above
        self._number += 1
        field = FieldDefinition(
            id=f"e{self._number}_{TYPE_SUFFIX[kind]}",  # numbered over all types [K]
            name=checked,
            field_type=kind,
            slot=self.width,
            max_length=MAX_CUSTOM_TEXT,
            usable_at=usable_at,
        )
        self.width += 1
        self.custom[field.id] = field
        return field

    def rename(self, field_id: str, name: object) -> FieldDefinition:
        """Give a custom field another name; refuse as PATCH field_definitions/{id} does."""
        field = self._custom(field_id)
        if not (isinstance(name, str) and name.lower() == field.name.lower()):
            name = self._new_name(name)
        field.name = name
        return field

    def delete(self, field_id: str) -> None:
        """Remove a custom field; its values are no longer shown."""
        self._custom(field_id)
        del self.custom[field_id]

    def usable(self, field_id: str, now: float) -> FieldDefinition | None:
        """Return a custom field that can be written already, or None."""
        field = self.custom.get(field_id)
        return field if field is not None and field.usable_at <= now else None

    def _custom(self, field_id: str) -> FieldDefinition:
        if field_id not in self.custom:
            raise Refusal(404, "custom field not found", "custom_field_id")
        return self.custom[field_id]

    def _new_name(self, name: object) -> str:
        if not isinstance(name, str) or not FIELD_NAME.fullmatch(name):
            raise Refusal(
                400, "name must be 1 to 100 letters, digits or underscores, no digit first", "name"
            )
        taken = {field.name.lower() for field in (*self.reserved, *self.custom.values())}
        if name.lower() in taken:  # compared without case [K API description]
            raise Refusal(400, f"a field named {name} exists already", "name")
        return name

"""What a job has to carry out: each row as it was sent, and what it turns into.

Both kinds of jobs, JSON and CSV, become an iterator of short lists of attempts. It is advanced in
a thread, so that answers go on meanwhile; the event loop applies the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from local.sendgrid_emulator.model.contacts import Row
from local.sendgrid_emulator.model.errors_file import Sent
from local.sendgrid_emulator.model.fields import (
    ALTERNATE_EMAILS,
    EMAIL,
    IDENTIFIERS,
    SLOTS,
    FieldDefinition,
    FieldDefinitions,
)
from local.sendgrid_emulator.model.settings import Settings
from local.sendgrid_emulator.model.values import (
    TYPE_MISMATCH,
    Parser,
    RowError,
    Value,
    field_parser,
)

PIECE_ROWS = 1000
Target = tuple[int, Parser, str, str]


class Attempt(NamedTuple):
    """A row as sent, what it sets (None: nothing), and what is wrong with it (None: nothing)."""

    sent: Sent
    row: Row | None
    error: str | None


class Unprocessable(Exception):  # the outcome of a job, not a fault of the emulator
    """A file that fails its job as a whole, with the message that SendGrid mails."""


Attempts = Iterator[list[Attempt]]
IDENTIFIER_SLOTS = frozenset(SLOTS[name] for name in IDENTIFIERS)


class Assignment(NamedTuple):
    """What one row sets, by slot (None clears), and what is wrong with it."""

    slots: list[int]
    values: list[Value]
    errors: list[str]

    def parse(self, slot: int, parser: Parser, sent: object) -> None:
        """Set a slot to a parsed value, or note why not."""
        try:
            value = parser(sent)
        except RowError as error:
            self.errors.append(str(error))
            return
        self.slots.append(slot)
        self.values.append(value)

    def clear(self, slot: int) -> None:
        """Clear a slot; an identifier cannot be taken away like this."""
        if slot not in IDENTIFIER_SLOTS:
            self.slots.append(slot)
            self.values.append(None)

    def attempt(self, sent: Sent, *, keep_good_values: bool) -> Attempt:
        """Return the attempt; a bad value loses its row unless the good ones shall be kept."""
        if not self.errors:
            return Attempt(sent, Row(self.slots, self.values), None)
        reason = "; ".join(self.errors)
        if keep_good_values and not IDENTIFIER_SLOTS.isdisjoint(self.slots):
            return Attempt(sent, Row(self.slots, self.values), reason)
        return Attempt(sent, None, reason)


def json_attempts(
    contacts: list[dict[str, Any]], fields: FieldDefinitions, settings: Settings
) -> Attempts:
    """Yield the attempts of a JSON upsert whose shape was checked already."""
    assign = json_assigner(fields, settings)
    keep_good_values = settings.row_error == "value"
    for start in range(0, len(contacts), PIECE_ROWS):
        yield [
            assign(contact).attempt(contact, keep_good_values=keep_good_values)
            for contact in contacts[start : start + PIECE_ROWS]
        ]


def json_assigner(
    fields: FieldDefinitions, settings: Settings
) -> Callable[[dict[str, Any]], Assignment]:
    """Return the function that works out what a contact of a JSON body sets."""
    reserved = [field for field in fields.reserved if field.slot >= 0]
    top = {item.name: json_target(item, settings) for item in reserved}
    top["alternate_emails"] = (
        *(SLOTS["alternate_emails"], alternates_parser),
        *("clear", settings.null_of("reserved")),
    )
    custom = {item.id: json_target(item, settings) for item in fields.custom.values()}

    def assign(contact: dict[str, Any]) -> Assignment:
        assignment = Assignment([], [], [])
        put_all(assignment, contact, top)
        put_all(assignment, contact.get("custom_fields") or {}, custom)
        if settings.own_alternate != "store":
            take_own(assignment, refuse=settings.own_alternate == "error")
        return assignment

    return assign


def put_all(assignment: Assignment, sent: dict[str, Any], targets: dict[str, Target]) -> None:
    """Set what is sent, by slot; an empty string and null do what their target says."""
    for key, value in sent.items():
        if key not in targets:
            continue
        slot, parser, empty, null = targets[key]
        mode = null if value is None else empty if value == "" else "parse"
        if mode == "clear":
            assignment.clear(slot)
        elif mode == "error":
            assignment.errors.append(f"{TYPE_MISMATCH}: {key} is empty")
        elif mode == "parse":
            assignment.parse(slot, parser, value)


def take_own(assignment: Assignment, *, refuse: bool) -> None:
    """Take a contact's own address from its alternate ones, or note that it is there."""
    set_to = dict(zip(assignment.slots, assignment.values, strict=True))
    own, alternates = set_to.get(EMAIL), set_to.get(ALTERNATE_EMAILS)
    if not isinstance(alternates, tuple) or own not in alternates:
        return
    if refuse:
        assignment.errors.append(f"alternate email '{own}' is the email of the contact")
        at = assignment.slots.index(ALTERNATE_EMAILS)
        del assignment.slots[at], assignment.values[at]
        return
    others = tuple(address for address in alternates if address != own)
    assignment.values[assignment.slots.index(ALTERNATE_EMAILS)] = others or None


def json_target(field: FieldDefinition, settings: Settings) -> Target:
    """Return slot, parser, and what an empty string and null do to the field."""
    parser = field_parser(field, settings, from_csv=False)
    return field.slot, parser, settings.string_of(field.kind), settings.null_of(field.kind)


def alternates_parser(addresses: Any) -> Value:
    """Return the alternate addresses as they are stored; they were checked before."""
    return tuple(address.lower() for address in addresses) or None

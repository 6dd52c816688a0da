"""What becomes of contacts that SendGrid names: rejected, or sent without a value. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from contact_sync.base.plain_reasons import NOTHING_PLAIN, plain
from contact_sync.base.vocabulary import Refusal, Refused
from contact_sync.contacts.hash_keys import Hashing
from contact_sync.contacts.mapping import MappedField, Mapping
from contact_sync.contacts.payloads import values_of
from contact_sync.contacts.refused_fields import FieldNames
from contact_sync.contacts.refused_values import Contact, LeftOut, filled, without


class Said(NamedTuple):
    """What SendGrid says of a contact: message, and the field that stands beside it or ""."""

    contact: Contact
    message: str
    where: str = ""


class RefusedContacts(NamedTuple):
    """Contacts that are rejected, by address; that lose a value; and that SendGrid refuses for a
    value that they don't have, by address."""

    rejected: dict[str, Refused]
    left_out: list[LeftOut]
    groundless: dict[str, Refused]

    @property
    def emails(self) -> set[str]:
        """All of them."""
        return {*self.rejected, *self.groundless, *(one.email for one in self.left_out)}

    def put_off(self) -> RefusedContacts:
        """Nothing is left out now: the next run tries those contacts again."""
        late = {
            one.email: Refused(Refusal.REFUSED_BY_SENDGRID, one.detail) for one in self.left_out
        }
        return RefusedContacts(self.rejected, [], self.groundless | late)

    def with_more(self, more: RefusedContacts) -> RefusedContacts:
        """These and those about other contacts."""
        return RefusedContacts(
            self.rejected | more.rejected, [*self.left_out, *more.left_out],
            self.groundless | more.groundless,
        )  # fmt: skip


def refused_contacts(said: Iterable[Said], mapping: Mapping, hashing: Hashing) -> RefusedContacts:
    """Judge each contact by what is said of it, once.

    A refused value is left out if the definition says `on_bad_value: drop` for its field. With
    `reject`, and where no field is named, the contact is rejected.
    """
    rejected: dict[str, Refused] = {}
    groundless: dict[str, Refused] = {}
    lose: dict[str, tuple[Contact, list[MappedField], str | None]] = {}
    names = FieldNames(mapping)
    for contact, message, where in said:
        named = names.named(message, where)
        own = filled(contact, named, mapping) if named else []
        detail = detail_of(contact, message, mapping)
        needed = next((field for field in own if field.on_bad_value == "reject"), None)
        refusal = Refused(Refusal.REFUSED_BY_SENDGRID, detail, needed.name if needed else "contact")
        if needed or not any(field.on_bad_value == "drop" for field in named):
            rejected[contact.email] = refusal
        elif own:
            fields = lose[contact.email][1] if contact.email in lose else []
            lose[contact.email] = (contact, [*fields, *own], detail)
        else:
            groundless[contact.email] = refusal
    kept = [one for email, one in lose.items() if email not in rejected]
    other = {e: r for e, r in groundless.items() if e not in rejected and e not in lose}
    return RefusedContacts(rejected, without(kept, mapping, hashing), other)


def detail_of(contact: Contact, message: str, mapping: Mapping) -> str | None:
    """SendGrid's own words about a contact, without what they say about the person."""
    words = plain(message, [contact.email, *values_of(contact.payload, mapping)])
    return None if words == NOTHING_PLAIN else words

"""Refusals of calls that the settings order: contacts and values that SendGrid doesn't take.

How it says so is known for bad addresses only; everything else here is a switch [I].
"""

from __future__ import annotations

from typing import Any

from local.sendgrid_emulator.model.account import Account
from local.sendgrid_emulator.model.fields import IDENTIFIERS, SLOTS
from local.sendgrid_emulator.model.refusal import Refusal
from local.sendgrid_emulator.model.settings import Settings
from local.sendgrid_emulator.model.values import longest_text

STATUS = {"422": 422, "413": 413}
Error = tuple[str | None, str]


def place(index: int, account: Account) -> str:
    """Return how an error's field names a contact; its number may be wrong."""
    number = {"true": index, "first": 0, "next": index + 1}[account.settings.error_places]
    return f"contacts[{number}]"


def check_unnamed(contacts: list[dict[str, Any]], settings: Settings) -> None:
    """Refuse a call for a contact that isn't named."""
    refused = settings.refused_calls
    if not refused or not any(address(contact) in refused for contact in contacts):
        return
    how, says = settings.refused_calls_as, settings.refused_calls_say
    if how == "text":
        raise Refusal.as_page(400, says, "text/plain")
    refusal = Refusal(STATUS.get(how, 400), says, None if how == "field null" else "")
    if how == "no errors":
        refusal.errors = []
    raise refusal


def address(contact: dict[str, Any]) -> str:
    """Return the lower-cased address of a contact, or nothing."""
    return (contact.get("email") or "").lower()


def refused_on_demand(contacts: list[dict[str, Any]], account: Account) -> list[Error]:
    """Return the errors of contacts and values that the settings name."""
    settings = account.settings
    errors: list[Error] = []
    for index, contact in enumerate(contacts) if settings.refused_contacts else ():
        says = settings.refused_contacts.get(address(contact))
        if says is not None:
            errors.append((place(index, account), says.replace("{email}", address(contact))))
    if settings.refused_values and settings.refused_values_by == "call":
        for index, contact in enumerate(contacts):
            errors += refused_values(index, contact, account)
    return errors


def refused_values(index: int, contact: dict[str, Any], account: Account) -> list[Error]:
    """Return the errors of a contact's values."""
    errors: list[Error] = []
    for field in (*account.fields.reserved, *account.fields.custom.values()):
        custom = field.id in account.fields.custom
        sent = (contact.get("custom_fields") or {}) if custom else contact
        value = sent.get(field.id if custom else field.name)
        if value in (None, "") or not account.settings.refuses(field.name, value):
            continue
        path = f"custom_fields.{field.id}" if custom else field.name
        says = account.settings.words_about(field.name, field.id, value, address(contact))
        errors.append((f"{place(index, account)}.{path}", says))
    return errors


def unfit_values(contacts: list[dict[str, Any]], account: Account) -> list[Error]:
    """Return the errors of empty and too long values and of missing identifiers, as far as the
    settings make them refuse the call.
    """
    settings = account.settings
    fields = {
        **{field.name: field for field in account.fields.reserved if field.slot >= 0},
        **account.fields.custom,
    }
    empty = {key for key, field in fields.items() if settings.string_of(field.kind) == "refuse"}
    long = settings.long_values == "refuse"
    if not empty and not long and settings.identifiers != "refuse":
        return []
    errors: list[Error] = []
    for index, contact in enumerate(contacts):
        for key, value in (contact | (contact.get("custom_fields") or {})).items():
            if not isinstance(value, str) or key not in fields:
                continue
            path = f"{place(index, account)}.{key}"
            if value == "" and key in empty:
                errors.append((path, f"{fields[key].name} must not be empty"))
            elif long and len(value) > longest_text(fields[key], settings):
                errors.append((path, f"{fields[key].name} is too long"))
        if settings.identifiers == "refuse" and lacks_identifiers(contact, account):
            says = "all existing identifiers of the contact must be present"
            errors.append((place(index, account), says))
    return errors


def lacks_identifiers(contact: dict[str, Any], account: Account) -> bool:
    """Return whether the contact of this address has an identifier that isn't sent."""
    found = account.contacts.by_email(address(contact))
    others = IDENTIFIERS[1:]
    return found is not None and any(
        found.values[SLOTS[name]] is not None and not contact.get(name) for name in others
    )

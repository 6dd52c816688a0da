"""What SendGrid must hold for the demo's mapping, worked out a second time and in another way.

A plain, slow, row-by-row reading of B2CORE's tables, to check the product against. It shares no
code with the product and imports nothing of it, nor does it use include/sql/: a mistake there shows
as a difference here. Keeps everything in memory, about 3 kB for each client.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import psycopg

from local.oracle_phones import phone_number
from local.oracle_rules import SEEN, clean_email, clean_text, email_address

Contact = dict[str, Any]  # reserved field → value, and "custom_fields": {name: value}

TEXT_LIMITS = {
    "first_name": 50,
    "last_name": 50,
    "address_line_1": 100,
    "address_line_2": 100,
    "city": 60,
    "state_province_region": 50,
    "postal_code": 50,
    "country": 50,
}
CUSTOM_TEXT_LIMIT = 1000
PRECEDENCE = ("residential", "mailing", "legal", "billing")
NEVER = datetime.min.replace(tzinfo=UTC)  # sorts before every real time

CLIENTS = """
SELECT c.id, c.email, c.first_name, c.last_name, s.name, t.name, v.caption, j.caption
FROM b2core.clients c
LEFT JOIN b2core.client_statuses s ON s.id = c.status_id
LEFT JOIN b2core.client_types t ON t.id = c.client_type_id
LEFT JOIN b2core.verification_levels v ON v.id = c.verification_level_id
LEFT JOIN b2core.jurisdictions j ON j.id = c.jurisdiction_id
ORDER BY c.id
"""
PHONES = "SELECT client_id, phone, confirmed, updated_at, id FROM b2core.client_phones"
ADDRESSES = """
SELECT client_id, type, updated_at, id, line1, line2, city, state, postal_code, country_id
FROM b2core.client_addresses
"""


@dataclass(slots=True)
class Expected:
    """What must be in SendGrid: `contacts` by address; and which clients cannot be, and why."""

    contacts: dict[str, Contact] = field(default_factory=dict)
    rejected: dict[int, str] = field(default_factory=dict)  # "missing", "invalid" or "told"
    shared: set[int] = field(default_factory=set)  # lost their address to a client with a higher id
    client_ids: dict[str, int] = field(default_factory=dict)  # of each contact
    unfit: dict[str, set[str]] = field(default_factory=dict)  # of each: left out or cut, if any

    def unfit_of_clients(self) -> set[tuple[int, str]]:
        """Client and field of every value that a contact lacks or has cut."""
        return {(self.client_ids[email], name) for email in self.client_ids
                for name in self.unfit[email]}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """The one address that a client's contact shows."""

    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    country_code: str | None = None


def expected(
    url: str,
    excluded: Collection[int] = (),
    rejected: Collection[int] = (),
    erased: Collection[int | str] = (),
) -> Expected:
    """Read B2CORE in one snapshot and return what SendGrid must hold.

    Nobody with the address of a client in `excluded` may have a contact. Clients in `rejected`
    can't be sent, for what a definition or SendGrid says: they represent no address. Whose id or
    address is in `erased` is nobody at all.
    """
    result, barred = Expected(), set[str]()
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        phones = chosen_phones(connection)
        addresses = chosen_addresses(connection)
        # In the order of the ids, so that the highest id of an address is the last to take it.
        for client_id, raw_email, *row in rows(connection, CLIENTS):
            email = email_address(raw_email)
            if client_id in erased or email in erased:
                continue
            if email is None:
                result.rejected[client_id] = "invalid" if clean_email(raw_email) else "missing"
                continue
            if client_id in excluded:
                barred.add(email)
            if client_id in rejected:
                result.rejected[client_id] = "told"
                continue
            if email in result.contacts:
                result.shared.add(result.client_ids[email])
            address = addresses.get(client_id, Address())
            result.contacts[email] = contact(email, row, phones.get(client_id), address)
            result.unfit[email] = unfit(row, phones.get(client_id), address)
            result.client_ids[email] = client_id
    for email in barred & result.contacts.keys():
        del result.contacts[email], result.client_ids[email]
    return result


def contact(email: str, row: list[Any], raw_phone: str | None, address: Address) -> Contact:
    """Return the contact of one client; what has no value is left out."""
    texts, custom = columns_of(row, address)
    values = {name: clean_text(value, TEXT_LIMITS[name]) for name, value in texts.items()}
    values["phone_number"] = phone_number(raw_phone, address.country_code)
    custom_values = {name: clean_text(value, CUSTOM_TEXT_LIMIT) for name, value in custom.items()}
    return {
        "email": email,
        **{name: value for name, value in values.items() if value},
        "custom_fields": {name: value for name, value in custom_values.items() if value},
    }


def unfit(row: list[Any], raw_phone: str | None, address: Address) -> set[str]:
    """Return the fields whose value in B2CORE is sent shortened, or not at all."""
    texts, custom = columns_of(row, address)
    limits = TEXT_LIMITS | dict.fromkeys(custom, CUSTOM_TEXT_LIMIT)
    found = {
        name
        for name, value in (texts | custom).items()
        if len(clean_text(value, sys.maxsize)) > limits[name]
    }
    if SEEN.search(raw_phone or "") and not phone_number(raw_phone, address.country_code):
        found.add("phone_number")
    return found


def columns_of(
    row: list[Any], address: Address
) -> tuple[dict[str, str | None], dict[str, str | None]]:
    """Return the texts of one client for SendGrid's reserved fields, and for custom ones."""
    first_name, last_name, status, client_type, level, jurisdiction = row
    texts = {
        "first_name": first_name,
        "last_name": last_name,
        "address_line_1": address.line1,
        "address_line_2": address.line2,
        "city": address.city,
        "state_province_region": address.state,
        "postal_code": address.postal_code,
        "country": address.country,
    }
    custom = {
        "Status": status,
        "Client_type": client_type,
        "Verification_level": level,
        "Jurisdiction": jurisdiction,
    }
    return texts, custom


def chosen_phones(connection: psycopg.Connection) -> dict[int, str | None]:
    """Return each client's phone: the confirmed one, else the most recently updated."""
    best: dict[int, tuple[tuple[bool, datetime, int], str | None]] = {}
    for client_id, phone, confirmed, updated_at, phone_id in rows(connection, PHONES):
        rank = (confirmed is True, updated_at or NEVER, phone_id)
        if client_id not in best or rank > best[client_id][0]:
            best[client_id] = (rank, phone)
    return {client_id: phone for client_id, (_, phone) in best.items()}


def chosen_addresses(connection: psycopg.Connection) -> dict[int, Address]:
    """Return each client's address: by type, then the most recently updated.

    Without a country it has the code of the newest address that has one.
    """
    countries = {
        country_id: (name, code)
        for country_id, name, code in rows(
            connection, "SELECT id, name, code FROM b2core.countries"
        )
    }
    best: dict[int, tuple[tuple[int, datetime, int], Address]] = {}
    latest: dict[int, tuple[tuple[datetime, int], str]] = {}  # of all addresses with a country
    for client_id, kind, updated_at, address_id, *parts, country_id in rows(connection, ADDRESSES):
        if kind not in PRECEDENCE:
            continue
        name, code = countries.get(country_id, (None, None))
        age = (updated_at or NEVER, address_id)
        if code and (client_id not in latest or age > latest[client_id][0]):
            latest[client_id] = (age, code)
        rank = (-PRECEDENCE.index(kind), *age)
        if client_id not in best or rank > best[client_id][0]:
            line1, line2, city, state, postal_code = parts
            best[client_id] = (rank, Address(line1, line2, city, state, postal_code, name, code))
    return {
        client_id: address
        if address.country_code or client_id not in latest
        else replace(address, country_code=latest[client_id][1])
        for client_id, (_, address) in best.items()
    }


def rows(connection: psycopg.Connection, query: str) -> Iterator[tuple[Any, ...]]:
    """Stream a query's rows through a server-side cursor."""
    with connection.cursor(name="expected") as cursor:
        cursor.itersize = 10_000
        cursor.execute(query)
        yield from cursor


# Fields that the demo maps to nothing: a sync that fills one of them is wrong.
UNMAPPED = (
    "alternate_emails",
    "anonymous_id",
    "external_id",
    "facebook",
    "line",
    "phone_number_id",
    "unique_name",
    "whatsapp",
)
MAPPED = (*TEXT_LIMITS, "phone_number")


def differences(
    actual: Mapping[str, Contact],
    wanted: Expected,
    *,
    list_id: str | None = None,
    unlisted: Collection[str] | None = (),
    at_most: int = 100,
) -> list[str]:
    """Compare SendGrid's contacts, by address, with the expected ones; [] when they are equal.

    Returns readable lines without personal data, the first `at_most` of them and how many more
    there are. With `list_id`, every contact must also be a member of that list, and contacts that
    are no client's may only exist off it: exactly those in `unlisted`, or any if that is None.
    """
    lines = []
    for email, contact_wanted in wanted.contacts.items():
        who = f"client {wanted.client_ids[email]} ({masked(email)})"
        found = actual.get(email)
        if found is None:
            lines.append(f"{who}: missing in SendGrid")
            continue
        if fields := differing_fields(found, contact_wanted):
            lines.append(f"{who}: differs in {', '.join(fields)}")
        if list_id is not None and list_id not in (found.get("list_ids") or []):
            lines.append(f"{who}: not in the list {list_id}")
    off = {
        email
        for email in (actual if unlisted is None else unlisted)
        if email in actual and list_id not in (actual[email].get("list_ids") or [])
    }
    lines += [f"{masked(email)}: gone, or on the list" for email in set(unlisted or ()) - off]
    known = wanted.contacts.keys() | off
    unwanted = [email for email in actual if email not in known]
    lines += [f"{masked(email)}: in SendGrid, but no client's contact" for email in unwanted]
    if len(lines) > at_most:
        return [*lines[:at_most], f"… and {len(lines) - at_most} more"]
    return lines


def differing_fields(found: Contact, contact_wanted: Contact) -> list[str]:
    """Return the names of the fields whose value is not the expected one."""
    names = [n for n in MAPPED if (found.get(n) or "") != contact_wanted.get(n, "")]
    names += [n for n in UNMAPPED if found.get(n)]
    if found.get("email") != contact_wanted["email"]:
        names.insert(0, "email")
    custom, custom_wanted = found.get("custom_fields") or {}, contact_wanted["custom_fields"]
    every = sorted(custom.keys() | custom_wanted.keys())
    return names + [f"custom field {n}" for n in every if custom.get(n) != custom_wanted.get(n)]


def masked(email: str) -> str:
    """Return an address that can be shown: j***@example.com."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"

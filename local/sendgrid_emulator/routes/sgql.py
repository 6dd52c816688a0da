"""A small part of SGQL: equality and CONTAINS(list_ids, …), joined by AND and OR.

Enough to find contacts by address, field or list; everything else is refused, so that a query the
emulator does not understand cannot look like one that matches nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from local.sendgrid_emulator.model.account import Account
from local.sendgrid_emulator.model.contacts import Contact
from local.sendgrid_emulator.model.fields import SLOTS
from local.sendgrid_emulator.model.refusal import Refusal

Predicate = Callable[[Contact], bool]
TEXT = r"'(?P<text>(?:[^']|'')*)'"
EQUALITY = re.compile(
    rf"\s*(?P<lower>lower\()?\s*(?P<name>[A-Za-z_]\w*)\s*\)?\s*=\s*{TEXT}\s*", re.I
)
CONTAINS = re.compile(rf"\s*CONTAINS\(\s*list_ids\s*,\s*{TEXT}\s*\)\s*", re.IGNORECASE)
JOIN = re.compile(r"(AND|OR)\b", re.IGNORECASE)


def parse_query(query: str, account: Account) -> Predicate:
    """Return the predicate of a query; AND binds tighter than OR. Refuse what is not understood."""
    position = 0
    alternatives: list[list[Predicate]] = [[]]
    while True:
        predicate, position = parse_term(query, position, account)
        alternatives[-1].append(predicate)
        joined = JOIN.match(query, position)
        if joined is None:
            break
        position = joined.end()
        if joined[1].upper() == "OR":
            alternatives.append([])
    if position != len(query):
        raise Refusal(400, f"query is not understood at position {position}", "query")
    return lambda contact: any(all(term(contact) for term in terms) for terms in alternatives)


def parse_term(query: str, position: int, account: Account) -> tuple[Predicate, int]:
    """Return one comparison and where it ends."""
    contains = CONTAINS.match(query, position)
    if contains is not None:
        list_id = unquoted(contains)
        return lambda contact: list_id in contact.list_ids, contains.end()
    equality = EQUALITY.match(query, position)
    if equality is None:
        raise Refusal(400, f"query is not understood at position {position}", "query")
    wanted, name = unquoted(equality), equality["name"]
    if name in ("contact_id", "id"):
        return lambda contact: contact.id == wanted, equality.end()
    slot = slot_of(name, account)

    def equals(contact: Contact) -> bool:
        value = contact.values[slot] if slot < len(contact.values) else None
        text = "" if value is None else str(value)
        return (text.lower() if equality["lower"] else text) == wanted

    return equals, equality.end()


def unquoted(match: re.Match[str]) -> str:
    """Return the text of a quoted string."""
    return match["text"].replace("''", "'")


def slot_of(name: str, account: Account) -> int:
    """Return the slot of a field by name."""
    if name in SLOTS:
        return SLOTS[name]
    for field in account.fields.custom.values():
        if field.name == name:
            return field.slot
    raise Refusal(400, f"unknown field {name}", "query")

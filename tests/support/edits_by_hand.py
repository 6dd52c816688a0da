"""What people who know nothing of a sync do to contacts in SendGrid's pages, kind by kind.

A kind is done to clients' contacts that are equal, and says what a verification must find of each
of them. Contacts that come into being by it are nobody's, and are never touched afterwards.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import requests

from local.oracle import UNMAPPED
from tests.support.allowed_calls import AS_TEST
from tests.support.damage import FOREIGN, wait
from tests.support.world import API_KEY, World

Contact = dict[str, Any]
AT_ONCE = 100
OTHER_LISTS = ("Newsletter", "Webinar")


@dataclass(frozen=True, slots=True)
class Kind:
    """`do` gets the clients' contacts as the account shows them. `verdict`: of each client,
    None = equal; `strangers`: contacts of nobody on the list that each of them leaves."""

    name: str
    do: Callable[[World, Sequence[Contact]], None]
    verdict: str | None
    strangers: int = 0


def put(world: World, contacts: Sequence[Contact], lists: list[str]) -> None:
    """Make or edit contacts as somebody at SendGrid does, and wait until they show."""
    for start in range(0, len(contacts), 1_000):
        world.emulator.admin.put_contacts(*contacts[start : start + 1_000], list_ids=lists)
    wait(world.emulator)


def _delete(world: World, contacts: Sequence[Contact], path: str) -> None:
    for start in range(0, len(contacts), AT_ONCE):
        ids = ",".join(contact["id"] for contact in contacts[start : start + AT_ONCE])
        world.delete_at_sendgrid(path + ids)
    wait(world.emulator)


def _edited(**change: Callable[[str], str]) -> Callable[[World, Sequence[Contact]], None]:
    """Fields are typed anew, each from what it was."""

    def do(world: World, contacts: Sequence[Contact]) -> None:
        edits = [{"email": c["email"]} | {name: new(c[name]) for name, new in change.items()}
                 for c in contacts]  # fmt: skip
        put(world, edits, [])

    return do


def _typed(**values: Any) -> Callable[[World, Sequence[Contact]], None]:
    """Fields get these values."""

    def do(world: World, contacts: Sequence[Contact]) -> None:
        put(world, [{"email": c["email"], **values} for c in contacts], [])

    return do


def _identified(name: str) -> Callable[[World, Sequence[Contact]], None]:
    """Another tool gives contacts an identifier of its own."""

    def do(world: World, contacts: Sequence[Contact]) -> None:
        put(world, [{"email": c["email"], name: c["id"]} for c in contacts], [])

    return do


def _made_again(*, whole: bool, listed: bool) -> Callable[[World, Sequence[Contact]], None]:
    """Deleted and made by hand, with another id: as it was, or only its address."""

    def do(world: World, contacts: Sequence[Contact]) -> None:
        _delete(world, contacts, "contacts?ids=")
        made = [_copy(c) if whole else {"email": c["email"]} for c in contacts]
        if whole:
            with world.sync() as sync:
                ids = {field.name: field.id for field in sync.sendgrid.fields()}
            for copy, held in zip(made, contacts, strict=True):
                custom = held["custom_fields"].items()
                copy["custom_fields"] = {ids[name]: value for name, value in custom}
        put(world, made, [world.list_id] if listed else [])

    return do


def _copy(contact: Contact, **changes: Any) -> Contact:
    own = (
        "id",
        "created_at",
        "updated_at",
        "list_ids",
        "segment_ids",
        "_metadata",
        "custom_fields",
    )
    return {k: v for k, v in contact.items() if k not in own and v not in ("", [], None)} | changes


def _to_other_lists(*, leave: bool) -> Callable[[World, Sequence[Contact]], None]:
    def do(world: World, contacts: Sequence[Contact]) -> None:
        admin = world.emulator.admin
        lists = [admin.create_list(f"{name} {leave}") for name in OTHER_LISTS]
        put(world, [{"email": c["email"]} for c in contacts], lists)
        if leave:
            _delete(world, contacts, f"lists/{world.list_id}/contacts?contact_ids=")

    return do


def _another(rename: Callable[[str], str], **values: Any) -> Callable[..., None]:
    """A second contact beside the client's, as whoever "corrects" an address makes it."""

    def do(world: World, contacts: Sequence[Contact]) -> None:
        twins = [_copy(c, email=rename(c["email"]), **values) for c in contacts]
        put(world, twins, [world.list_id])

    return do


def _address_corrected(world: World, contacts: Sequence[Contact]) -> None:
    """The old contact is deleted, one with another address is there instead."""
    _another(_mistyped)(world, contacts)
    _delete(world, contacts, "contacts?ids=")


def _taken_as_alternate(world: World, contacts: Sequence[Contact]) -> None:
    """Deleted, and its address is an alternate one of somebody else: a search finds that one."""
    _delete(world, contacts, "contacts?ids=")
    others = [{"email": f"holds.{c['email'].partition('@')[0]}.{FOREIGN}",
               "alternate_emails": [c["email"]]} for c in contacts]  # fmt: skip
    put(world, others, [])


def _with_alternate(world: World, contacts: Sequence[Contact]) -> None:
    put(world, [{"email": c["email"], "alternate_emails": ["alt." + c["email"]]}
                for c in contacts], [])  # fmt: skip


def _suppressed(world: World, contacts: Sequence[Contact]) -> None:
    """Unsubscribed, globally and from a group."""
    emails = [contact["email"] for contact in contacts]
    world.emulator.admin.suppress(*emails)
    group = world.emulator.admin.create_group()
    _call(world, "POST", f"asm/groups/{group}/suppressions", {"recipient_emails": emails[:1]})


def _subscribed_again(world: World, contacts: Sequence[Contact]) -> None:
    emails = [contact["email"] for contact in contacts]
    world.emulator.admin.suppress(*emails)
    for email in emails[:AT_ONCE]:
        _call(world, "DELETE", f"asm/suppressions/global/{email}")


def _without_address(world: World, contacts: Sequence[Contact]) -> None:
    """Somebody's contact that has nothing but another tool's identifier."""
    put(world, [{"external_id": f"tool {c['id']}"} for c in contacts], [world.list_id])


def _call(world: World, method: str, path: str, body: object = None) -> None:
    url, key = f"{world.emulator.base_url}/v3/{path}", {"Authorization": f"Bearer {API_KEY}"}
    requests.request(method, url, json=body, headers=key | AS_TEST, timeout=10).raise_for_status()


def rename(world: World, path: str, name: str) -> None:
    """Give a list or a field another name."""
    _call(world, "PATCH", f"marketing/{path}", {"name": name})


def _mistyped(email: str) -> str:
    return f"x.{email.partition('@')[0]}.{FOREIGN}"


def _dotted(email: str) -> str:
    local, _, _ = email.partition("@")
    return f"{local[0]}.{local[1:]}.{FOREIGN}"


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


KINDS = (
    Kind("another value", _typed(last_name="Other"), "different"),
    Kind("a space behind", _edited(last_name=lambda text: text + " "), "different"),
    Kind("a space that can't be broken", _edited(last_name="\N{NO-BREAK SPACE}".__add__),
         "different"),
    Kind("a character without width", _edited(last_name="\N{ZERO WIDTH SPACE}".__add__),
         "different"),
    Kind("capitals", _edited(last_name=str.upper), "different"),
    Kind("a letter of another alphabet", _edited(last_name=lambda t: t.replace("a", "\u0430")),
         "different"),
    Kind("another normal form", _edited(first_name=_decomposed), "different"),
    Kind("an emoji", _edited(last_name=lambda text: text + " \N{PARTY POPPER}"), "different"),
    Kind("a line break", _edited(last_name=lambda text: text + "\nJr."), "different"),
    Kind("cleared", _typed(first_name="", last_name=""), "different"),
    Kind("a value where B2CORE has none", _typed(city="Bern"), "different"),
    Kind("the same value again", _edited(last_name=str), None),
    Kind("deleted", lambda world, contacts: _delete(world, contacts, "contacts?ids="), "missing"),
    Kind("made again as it was", _made_again(whole=True, listed=True), None),
    Kind("made again with its address only", _made_again(whole=False, listed=True), "different"),
    Kind("made again off the list", _made_again(whole=True, listed=False), "off_list"),
    Kind("moved to other lists", _to_other_lists(leave=True), "off_list"),
    Kind("put on all lists", _to_other_lists(leave=False), None),
    Kind("a second contact with a typing error", _another(_mistyped), None, strangers=1),
    Kind("a second contact with a dot", _another(_dotted), None, strangers=1),
    Kind("its address corrected", _address_corrected, "missing", strangers=1),
    Kind("its address an alternate one of another", _taken_as_alternate, "missing"),
    Kind("an alternate address", _with_alternate, None),
    Kind("an id of another tool", _identified("external_id"), None),
    Kind("an anonymous id", _identified("anonymous_id"), None),
    Kind("a messenger", _typed(whatsapp="+41790000000", facebook="f", unique_name="u"), None),
    Kind("unsubscribed", _suppressed, None),
    Kind("subscribed again", _subscribed_again, None),
    Kind("a contact without an address", _without_address, None),
)  # fmt: skip


def do_all(world: World, clients: Sequence[Sequence[str]]) -> dict[str, str]:
    """Do each kind to its clients' contacts, given by address; returns the verdicts that have to be
    found, by address."""
    held = world.contacts()
    wanted = {}
    for kind, emails in zip(KINDS, clients, strict=True):
        kind.do(world, [held[email] for email in emails])
        if kind.verdict is not None:
            wanted.update(dict.fromkeys(emails, kind.verdict))
    return wanted


def strangers(contacts: int) -> int:
    """How many contacts of nobody are on the list, if each kind was done to so many."""
    return contacts * sum(kind.strangers for kind in KINDS)


def of_others(world: World) -> dict[str, Contact]:
    """The contacts that are no client's, as they are."""
    clients = {email for (email,) in world.sql("SELECT email FROM b2core.clients")}
    return {key: contact for key, contact in world.contacts().items() if key not in clients}


def mapped(world: World) -> dict[str, Contact]:
    """The contacts that have an address, without what no sync of the demo's mapping writes."""
    return {email: contact | {name: "" for name in UNMAPPED if name in contact}
            for email, contact in world.contacts().items() if "@" in email}  # fmt: skip

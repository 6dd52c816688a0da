"""What must be true of an account at the end of a history, by the documents and nothing of the
product's code.

Every client's contact is what B2CORE says (local/oracle.py) and nobody else is on the list, but for
those whom neither side knows. What no sync fills is as people left it, and goes along with a person
(decision 14); so does an opt-out, and nobody else is unsubscribed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.oracle import differences, expected, masked

if TYPE_CHECKING:
    from tests.stateful.people import PeopleAtSendGrid

NOTES = "Notes"


def broken(history: PeopleAtSendGrid) -> list[str]:
    """Sentences, without personal data; [] when all promises are kept."""
    return [
        *different_contacts(history), *changed_strangers(history),
        *lost_notes(history), *wrong_suppressions(history), *who_came_back(history),
    ]  # fmt: skip


def different_contacts(history: PeopleAtSendGrid) -> list[str]:
    """Contacts that differ in what the sync fills, that lack, or that nobody needs."""
    world = history.world
    wanted = expected(world.b2core_url, history.excluded(), (), history.erased)
    unknown = (history.orphans | history.strangers.keys()) - wanted.contacts.keys()
    actual = {
        email: without_notes(contact)
        for email, contact in world.contacts().items() if email not in unknown
    }  # fmt: skip
    return differences(actual, wanted, list_id=world.list_id, unlisted=None)


def who_came_back(history: PeopleAtSendGrid) -> list[str]:
    """Nobody who was erased has a contact, on a list or not, nor anything in the state database."""
    addresses = {each for each in history.erased if isinstance(each, str)}
    lines = [f"{masked(email)}: was erased and has a contact"
             for email in history.world.contacts() if email in addresses]  # fmt: skip
    known = history.world.state("SELECT client_id FROM contact_sync.ledger")
    return lines + [f"client {ident}: was erased and is in the ledger"
                    for (ident,) in known if ident in history.erased]  # fmt: skip


def without_notes(contact: dict[str, Any]) -> dict[str, Any]:
    """The contact without the field that no sync fills."""
    custom = {k: v for k, v in (contact.get("custom_fields") or {}).items() if k != NOTES}
    return {**contact, "custom_fields": custom}


def changed_strangers(history: PeopleAtSendGrid) -> list[str]:
    """Contacts that are nobody's in B2CORE are never touched."""
    now = history.world.contacts()
    return [
        f"{masked(email)}: a stranger was changed"
        for email, contact in history.strangers.items() if now.get(email) != contact
    ]  # fmt: skip


def lost_notes(history: PeopleAtSendGrid) -> list[str]:
    """What people have put on a contact is on the one that its client has now."""
    people, contacts = history.people(), history.world.contacts()
    lines = []
    for person, (text, _) in history.notes.items():
        contact = contacts.get(people[person], {})
        if (contact.get("custom_fields") or {}).get(NOTES) != text:
            lines.append(f"client {person[0]}: the note on its contact is lost")
        if history.vip not in (contact.get("list_ids") or ()):
            lines.append(f"client {person[0]}: not on the list that it was put on")
    return lines


def wrong_suppressions(history: PeopleAtSendGrid) -> list[str]:
    """An opt-out goes along with its person, from address to address, and reaches nobody else."""
    actual = set(history.world.emulator.admin.suppressions())
    people, contacts = history.people(), history.world.contacts()
    lines = [
        f"client {person[0]}: the opt-out at SendGrid isn't carried over"
        for person in history.opt_outs
        if people[person] in contacts and people[person] not in actual
    ]
    may_be = set(history.unsubscribed)
    while True:
        lives = (had - {""} for had in history.lives.values())
        reached = {email for had in lives if had & may_be for email in had}
        if reached <= may_be:
            break
        may_be |= reached
    lines += [f"{masked(email)}: unsubscribed by nobody" for email in actual - may_be]
    return lines

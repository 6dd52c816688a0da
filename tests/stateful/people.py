"""Somebody in SendGrid's pages, and what is remembered of it until the end of a history."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from local.oracle_rules import email_address
from tests.stateful.drawn import ADDRESSES, TYPED, WHO
from tests.stateful.office import OPTED_OUT, BackOffice
from tests.support.erased import ask
from tests.support.others import put

Person = tuple[int, datetime]
"""A client's id and when it was created: an id may be given to another person."""
STRANGERS = [f"stranger{n}@else.example" for n in range(2)]


class PeopleAtSendGrid(BackOffice):
    """They edit contacts by hand. Nobody does while a fault waits or another process stands still:
    who came first couldn't be told."""

    erases = True
    """Whether people ask to be erased; not where the state database goes back, which ends in an
    error until a person puts erasures back (E11)."""

    def __init__(self) -> None:
        super().__init__()
        self.by_hand: set[str] = set()  # removed at SendGrid by a person, nothing since
        self.list_is_new = False  # no run has succeeded since the definition names it
        self.needs_resend = False  # a person did what only a run of mode resend puts right
        self.strangers: dict[str, dict[str, Any]] = {}  # contacts that are nobody's, as they are
        self.lives: dict[Person, set[str]] = {}  # every address that a person has had
        self.notes: dict[Person, tuple[str, str]] = {}  # what stands on a person's contact, where
        self.opt_outs: set[Person] = set()  # who has unsubscribed at SendGrid
        self.unsubscribed: set[str] = set()  # at these addresses
        self.erased: set[int | str] = set()  # ids and addresses of who was erased

    def may_return(self) -> None:
        """Something happens after which a contact that was removed by hand may come back."""
        self.by_hand.clear()

    def people(self) -> dict[Person, str]:
        """Each person's address now, as it is sent; "" = none. Whoever was erased is nobody."""
        rows = self.world.sql("SELECT id, created_at, email FROM b2core.clients")
        found = {(ident, made): email_address(email) or "" for ident, made, email in rows}
        erased = self.erased
        return {p: email for p, email in found.items() if not {p[0], email} & erased}

    def excluded(self) -> set[int]:
        """Who has opted out."""
        query = "SELECT id FROM b2core.clients WHERE last_name = %s"
        return {row[0] for row in self.world.sql(query, OPTED_OUT)}

    def watch(self) -> None:
        """Remember who has had which address, and of whom too much has changed to say anything."""
        people = self.people()
        for person, email in people.items():
            self.lives.setdefault(person, set()).add(email)
        alone = self.alone()
        for person, (_, former) in list(self.notes.items()):
            now = people.get(person, "")
            if person not in alone or (now != former and self.had_by_others(person, now)):
                del self.notes[person]
        emails = list(people.values())
        self.opt_outs = {
            each for each in self.opt_outs
            if each in people and (not people[each] or emails.count(people[each]) == 1)
        }  # fmt: skip

    def alone(self) -> set[Person]:
        """Who has an address that nobody else has, and is sent."""
        people, excluded = self.people(), self.excluded()
        every = list(people.values())
        return {
            person for person, email in people.items()
            if email and every.count(email) == 1 and person[0] not in excluded
        }  # fmt: skip

    def had_by_others(self, person: Person, email: str) -> bool:
        """Whether somebody else has had the address."""
        return any(email in had for other, had in self.lives.items() if other != person)

    def own_contact(self, n: int) -> tuple[Person, str] | None:
        """Somebody whose confirmed contact is on the list, and who isn't being sent again by a run
        that died: that is finished without a look. None = nobody, or not the moment."""
        if self.is_disturbed() or self.zombie is not None:
            return None
        query = """SELECT client_id, email FROM contact_sync.ledger
                   WHERE state = 'confirmed' AND email IS NOT NULL
                       AND client_id NOT IN (SELECT client_id FROM contact_sync.staged_client)"""
        confirmed, people = set(self.world.state(query)), self.people()
        listed = self.listed() - {""}
        found = sorted(
            (person, people[person]) for person in self.alone()
            if people[person] in listed and (person[0], people[person]) in confirmed
        )  # fmt: skip
        return found[n % len(found)] if found else None

    def is_disturbed(self) -> bool:
        """Whether a fault waits."""
        return any(self.world.emulator.admin.faults().values())

    def put(self, contact: dict[str, Any], *lists: str) -> None:
        """What a person types is seen by a search when this returns."""
        put(self.world, contact, *lists)
        time.sleep(self.lag)

    @rule(n=WHO, deleted=st.booleans())
    def remove_by_hand(self, n: int, deleted: bool) -> None:
        """A contact that the sync has confirmed is deleted, or taken off the list."""
        if (found := self.own_contact(n)) is None:
            return
        person, email = found
        if not deleted and self.list_is_new:  # the sync hasn't put anybody on it yet
            return
        ident, list_id = self.world.contacts()[email]["id"], self.world.list_id
        off_list = f"lists/{list_id}/contacts?contact_ids={ident}"
        self.world.delete_at_sendgrid(f"contacts?ids={ident}" if deleted else off_list)
        self.until(lambda: email not in self.listed())
        time.sleep(self.lag)
        self.by_hand.add(email)
        self.needs_resend = True
        self.notes.pop(person, None)

    @rule(n=WHO, typed=TYPED)
    def type_into_mapped_fields(self, n: int, typed: dict[str, Any]) -> None:
        """Ordinary runs don't see it; a run of mode resend makes the contact equal."""
        if found := self.own_contact(n):
            self.needs_resend = True
            self.put({"email": found[1], **typed})

    @rule(n=WHO, moves=st.booleans())
    def note(self, n: int, moves: bool) -> None:
        """A value in a field that no sync fills, and another list: both stay with the person, who
        perhaps gets another address."""
        found = self.own_contact(n)
        if found is None or found[0] in self.notes:
            return
        person, email = found
        text = f"of {person[0]}, {len(self.lives)}, {time.monotonic_ns()}"
        self.put({"email": email, "custom_fields": {self.notes_id: text}}, self.vip)
        self.notes[person] = (text, email)
        if moves:
            self.move_to_a_new_address(person[0])

    @rule(n=WHO, moves=st.booleans())
    def unsubscribe(self, n: int, moves: bool) -> None:
        """From everything: whatever address the person gets, it is unsubscribed before it is
        sent."""
        if found := self.own_contact(n):
            self.world.emulator.admin.suppress(found[1])
            self.unsubscribed.add(found[1])
            self.opt_outs.add(found[0])
            if moves:
                self.move_to_a_new_address(found[0][0])

    @precondition(lambda self: self.erases and self.zombie is None)
    @rule(n=WHO, returns=st.booleans())
    def erase(self, n: int, returns: bool) -> None:
        """Somebody asks to be forgotten, of whose addresses nobody else has had any, if need be who
        came just now; B2CORE goes on as if nothing had been, and perhaps registers them again."""
        if not (able := self.may_be_erased()):
            self.register(f"leaves{len(self.erased)}@example.com")
            self.watch()
            able = self.may_be_erased()
        for ident in sorted(able)[n % max(len(able), 1) :][:1]:
            addresses = sorted(able[ident])
            ask(self.world, client=str(ident), also=addresses)
            self.erased |= {ident, *addresses}
            if returns:
                self.register(addresses[0].upper())

    def may_be_erased(self) -> dict[int, set[str]]:
        """Clients that have an address, and all that each one has had, none of them anybody
        else's; not the one that always stays."""
        had: dict[int, set[str]] = {}
        for (ident, _), addresses in self.lives.items():
            had.setdefault(ident, set()).update(addresses - {""})
        others = Counter(email for addresses in had.values() for email in addresses)
        others.update(self.strangers.keys())
        return {
            ident: had[ident] for (ident, _), email in self.people().items()
            if ident != 1 and email and all(others[each] == 1 for each in had[ident])
        }  # fmt: skip

    @rule(n=WHO)
    def move_away(self, n: int) -> None:
        """To an address that nobody has had."""
        self.move_to_a_new_address(self.client(n))

    def move_to_a_new_address(self, client: int) -> None:
        """Of any but the first."""
        self.may_return()
        self.fresh_addresses += 1
        change = "UPDATE b2core.clients SET email = %(email)s WHERE id = %(id)s AND id <> 1"
        self.edit(change, id=client, email=f"fresh{self.fresh_addresses}@example.com")

    @rule(email=st.sampled_from(STRANGERS), listed=st.booleans())
    def add_stranger(self, email: str, listed: bool) -> None:
        """A contact that is none of B2CORE's, with values and a list; perhaps on ours, too."""
        if email in self.strangers or self.is_disturbed() or self.zombie is not None:
            return
        values = {"city": "Rome", "custom_fields": {self.notes_id: "nobody's"}}
        self.put({"email": email, **values}, self.vip, *([self.world.list_id] if listed else []))
        self.strangers[email] = self.world.contacts()[email]

    @rule(email=st.sampled_from(ADDRESSES), typed=TYPED, listed=st.booleans())
    def add_before_the_client(self, email: str, typed: dict[str, Any], listed: bool) -> None:
        """A contact at an address that no client has had; who takes it, is made equal."""
        known = {address for had in self.lives.values() for address in had}
        if email in known or self.is_disturbed() or self.zombie is not None:
            return
        self.put({"email": email, **typed}, *([self.world.list_id] if listed else []))
        self.orphans.add(email)

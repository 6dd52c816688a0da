"""L: whatever happened, and whenever it is pruned: what is sent afterwards is the same."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.allowed_calls import is_upsert
from tests.support.databases import Shared, empty, empty_b2core
from tests.support.old_things import grow_old, pruned
from tests.support.world import CUSTOM_FIELDS, LIST_NAME, World

STEPS, CLIENTS, LATER = 10, 5, 1_200
"""Days that pass between two steps: everything is older than it is kept."""
Step = Callable[[World, random.Random, int], Any]


def edited(world: World, chance: random.Random, number: int) -> None:
    """A client's name changes."""
    world.edit(chance.randint(1, CLIENTS), first_name=f"Ann {number}")


def moved(world: World, chance: random.Random, number: int) -> None:
    """A client's address changes, perhaps to one that another client has left."""
    left = chance.choice(["left@example.com", f"moved{number}@example.com"])
    world.edit(chance.randint(1, CLIENTS), email=left, first_name=None)


def opted_out(world: World, chance: random.Random, _number: int) -> None:
    """A client opts out, or in again."""
    world.edit(chance.randint(1, CLIENTS), last_name=chance.choice(["opted out", "Smith"]))


def vanished(world: World, chance: random.Random, _number: int) -> None:
    """A client is deleted, seen to be gone, and another one has its address."""
    client = chance.randint(1, CLIENTS)
    rows = world.sql("SELECT email FROM b2core.clients WHERE id = %s", client)
    world.sql("DELETE FROM b2core.clients WHERE id = %s", client)
    world.run()
    world.run()
    for (email,) in rows:
        world.add(email, last_name="Newcomer")


def renamed_list(world: World, _chance: random.Random, number: int) -> None:
    """The sync fills another list."""
    world.emulator.admin.create_list(f"List {number}")
    world.redefine(list=f"List {number}", on_list_change="unlist")


def failed(world: World, chance: random.Random, number: int) -> None:
    """A run is refused by SendGrid, and says so."""
    edited(world, chance, number)
    world.emulator.admin.fault("GET", "/v3/marketing/lists", status=401)
    with pytest.raises(Exception, match="key"):
        world.run()


def tried(world: World, _chance: random.Random, _number: int) -> None:
    """A dry run, and a trial."""
    world.run(dry_run=True)


STORY: tuple[Step, ...] = (edited, moved, opted_out, vanished, renamed_list, failed, tried)


def played(world: World, owner_url: str, seed: int, *, prunes: bool) -> list[Any]:
    """A history in a fresh world; returns after each run what was sent by it, and the fates and
    contacts that it left. `prunes`: at random moments of it."""
    chance, when = random.Random(seed), random.Random(seed + 1)
    begin_anew(world, owner_url)
    world.add_clients(CLIENTS)
    world.run()
    told: list[Any] = []
    gone = 0
    for number in range(STEPS):
        before = len(world.emulator.admin.calls())
        chance.choice(STORY)(world, chance, number)
        grow_old(world, LATER)
        if prunes and when.random() < 0.7:
            gone += sum(pruned(world).values())
        report = world.run()
        told.append([sent_since(world, before), report["counts"]["to_send"], left(world)])
    assert (gone > STEPS) == prunes
    return told


def begin_anew(world: World, owner_url: str) -> None:
    """The same as the fixture gives: no client, no state, no contact."""
    empty_b2core(world.b2core_url)
    empty(owner_url, "contact_sync")
    admin = world.emulator.admin
    admin.reset()
    for name in CUSTOM_FIELDS:
        admin.create_field(name, "Text")
    world.list_id = admin.create_list(LIST_NAME)
    world.redefine(list=LIST_NAME)


def sent_since(world: World, before: int) -> list[Any]:
    """Contacts of the upserts since then, and what was deleted, without ids."""
    admin = world.emulator.admin
    calls = admin.calls()[before:]
    upserts = [json.loads(admin.call_body(c["number"])) for c in calls if is_upsert(c)]
    contacts = [contact for upsert in upserts for contact in upsert["contacts"]]
    for contact in contacts:  # an account that is made anew gives its fields other ids
        contact["custom_fields"] = list(contact.get("custom_fields", {}).values())
    return [contacts, [c["route"] for c in calls if c["method"] == "DELETE"]]


def left(world: World) -> Any:
    """Every client's fate, and each contact's own values with the names of its lists."""
    return [world.fates(), {email: world.contact(email) for email in sorted(world.contacts())}]


@pytest.mark.parametrize("seed", [1, 2])
def test_L04_what_is_sent_after_pruning_is_what_would_have_been_sent(
    consenting: World, state_database: Shared, seed: int
) -> None:
    """Clients change, move, opt out, vanish and come back under another id; lists change; runs
    fail, and are tried. The same history twice, once pruned at random moments."""
    owner_url = state_database.whole()
    kept = played(consenting, owner_url, seed, prunes=False)
    assert played(consenting, owner_url, seed, prunes=True) == kept

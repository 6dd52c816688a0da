"""Both sides go on changing while they are compared: a race is never called a difference."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from contact_sync.base.verdicts import Count, Verdict
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.check_setup import check_setup
from contact_sync.run.context import open_run
from contact_sync.run.select_clients import select_clients
from contact_sync.run.start_run import start_run
from contact_sync.verify import look_again
from contact_sync.verify.account_side import load_account_side
from contact_sync.verify.b2core_side import load_b2core_side
from contact_sync.verify.begin_verification import begin_verification
from contact_sync.verify.compare_sides import compare_sides, finish_verification
from contact_sync.verify.order_export import order_export, poll_export
from contact_sync.verify.rebuild import rebuild_ledger
from tests.support.api_caller import wait_for
from tests.support.damage import lose_state, people, put
from tests.support.verified import found_in, verify
from tests.support.world import World

CLIENTS = 60
DAMAGED = range(0, CLIENTS, 20)
"""Clients that nobody edits, and whose contacts somebody has edited: they must be found."""


@pytest.fixture
def busy(world: World) -> World:
    """A world with some clients, whose search doesn't lag."""
    for number in range(CLIENTS):
        world.add(f"client{number}@example.com", first_name=f"Zoë {number}")
    world.run()
    return world


@contextmanager
def meanwhile(work: Callable[[random.Random], None]) -> Iterator[None]:
    """Do something again and again, beside the block."""
    over, failed = threading.Event(), list[BaseException]()

    def loop() -> None:
        rng = random.Random(7)
        try:
            while not over.is_set():
                work(rng)
        except BaseException as error:  # noqa: BLE001 told by the test
            failed.append(error)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert failed == []


def change_and_run(world: World, rng: random.Random) -> None:
    """Edits of every kind in B2CORE, and an ordinary run that sends them."""
    changes = (
        "UPDATE b2core.clients SET first_name = first_name || 'x' WHERE id = %s",
        "UPDATE b2core.clients SET email = 'n' || email WHERE id = %s",
        "DELETE FROM b2core.clients WHERE id = %s",
        "INSERT INTO b2core.clients (email, first_name) SELECT 'new' || %s || random()"
        " || '@example.com', 'New'",
    )
    clients = [n + 1 for n in range(CLIENTS) if n not in DAMAGED]
    for change in rng.choices(changes, weights=(8, 2, 1, 2), k=4):
        world.sql(change, rng.choice(clients))
    world.run()


def test_V01_edits_on_both_sides_are_no_differences(busy: World) -> None:
    """While runs go on beside, all the time; what is really wrong is found, and nothing else."""
    admin = busy.emulator.admin
    for number in DAMAGED:
        admin.put_contacts({"email": f"client{number}@example.com", "first_name": "Damaged"})
    damage = {("different", f"client{number}@example.com") for number in DAMAGED}
    admin.settings(export_pace=0.3)
    with meanwhile(partial(change_and_run, busy)):
        for _ in range(3):
            found = verify(busy)
            assert set(found_in(busy, found)) == damage
            assert found.counts[Count.EQUAL] > 0


Steps = Callable[[], set[tuple[str, str]]]


def in_steps(
    world: World, *, at: str, do: Callable[[], object], rebuild: bool = False
) -> set[tuple[str, str]]:
    """Verify step by step, with something that happens at a step; returns what is found."""
    with world.sync() as sync:
        ident = begin_verification(sync, holder="test", rebuild=rebuild)
        order_export(sync, ident)
        wait_for(lambda: poll_export(sync, ident), bool)
        if at == "before B2CORE is read":
            do()
        load_b2core_side(sync, ident)
        if at == "between both sides":
            do()
        load_account_side(sync, ident)
        if at == "before they are compared":
            do()
        compare_sides(sync, ident)
        rebuild_ledger(sync, ident)
        found = finish_verification(sync, ident)
    return set(found_in(world, found))


def edited_and_sent(world: World) -> None:
    """A client changes, and a run sends it."""
    world.edit(2, first_name="Later")
    world.run()


def edited(world: World) -> None:
    """A client changes, and no run has seen it."""
    world.edit(2, first_name="Later")


def moved_and_sent(world: World) -> None:
    """A client has another address, and a run has moved it."""
    world.edit(2, email="moved@example.com")
    world.run()


def deleted_twice_seen(world: World) -> None:
    """A client is gone, and its contact is off the list."""
    world.sql("DELETE FROM b2core.clients WHERE id = 2")
    world.run()
    world.run()


def registered_and_sent(world: World) -> None:
    """A newcomer."""
    world.add("newcomer@example.com")
    world.run()


AT = ("before B2CORE is read", "before they are compared")
RACES = (edited_and_sent, edited, moved_and_sent, deleted_twice_seen, registered_and_sent)


@pytest.mark.parametrize("at", ["between both sides", "before they are compared"])
def test_V11_who_changes_meanwhile_isnt_confirmed_by_a_rebuild(world: World, at: str) -> None:
    """Nobody knows what its contact lacks: if B2CORE's row is as before soon, it lacks it still."""
    emails = people(world)
    put(world, emails[1], first_name="Eve")
    lose_state(world)
    in_steps(world, at=at, do=partial(world.edit, 2, last_name="Later"), rebuild=True)
    assert sorted(world.fates()) == [1, 3, 4, 5, 6, 7, 8]
    world.edit(2, last_name="Lang")
    assert world.run()["counts"]["sent"] == 1
    assert world.contact(emails[1])["first_name"] == "Zoë"


@pytest.mark.parametrize("race", RACES)
@pytest.mark.parametrize("at", AT)
def test_V01_what_changes_between_the_steps_is_no_difference(
    busy: World, at: str, race: Callable[[World], None]
) -> None:
    """The export is older than B2CORE's side, or both are older than the comparison."""
    assert in_steps(busy, at=at, do=partial(race, busy)) == set()


def test_V01_whom_a_run_at_work_is_about_to_remove_is_no_difference(busy: World) -> None:
    """It has seen the client absent for the second time; its removals come last."""
    busy.sql("DELETE FROM b2core.clients WHERE id = 2")
    busy.run()
    with busy.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        for step in (check_setup, select_clients):
            step(sync, open_run(sync, run_id))
    assert set(found_in(busy, verify(busy))) == set()


def test_a_damage_beside_a_race_is_found(busy: World) -> None:
    """A contact that somebody edits after the run has sent it, and before the export."""
    busy.emulator.admin.put_contacts({"email": "client5@example.com", "city": "Bern"})
    found = in_steps(busy, at=AT[1], do=partial(edited_and_sent, busy))
    assert found == {("different", "client5@example.com")}


def test_who_changes_between_both_sides_waits(busy: World) -> None:
    """Its contact isn't what was called for, and what is by now is another thing."""
    busy.emulator.admin.put_contacts({"email": "client1@example.com", "city": "Bern"})
    assert in_steps(busy, at="between both sides", do=partial(edited, busy)) == set()
    [(counts,)] = busy.state("SELECT counts FROM contact_sync.verification")
    assert (counts[Count.WAITING], counts.get(Count.LOOKED_AT, 0)) == (1, 0)
    assert counts[Count.EQUAL] == CLIENTS - 1


def test_races_that_are_too_many_to_be_looked_at_cant_be_compared(
    busy: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are no differences; what nobody changed lately still is one."""
    monkeypatch.setattr(look_again, "MOST", 2)
    admin = busy.emulator.admin
    for number in range(4):
        admin.put_contacts({"email": f"client{number}@example.com", "city": "Bern"})
    wait_for(busy.contacts, lambda seen: seen["client3@example.com"]["city"] == "Bern")
    admin.advance(600)
    for number in range(10, 14):
        admin.put_contacts({"email": f"client{number}@example.com", "city": "Bern"})
    ordered = "UPDATE contact_sync.verification SET ordered_at = now() + interval '10 minutes'"
    found = in_steps(busy, at=AT[1], do=lambda: busy.state(ordered))
    assert sorted(verdict for verdict, _ in found) == ["different"] * 6 + ["not_comparable"] * 2
    looked = busy.state("SELECT count(*) FROM contact_sync.finding WHERE looked_at IS NOT NULL")
    assert looked == [(2,)]


def test_contacts_that_an_export_lacks_arent_missing_although_few_are_looked_up(
    busy: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are looked up are all there: the export is wrong, and nobody is sent for it."""
    monkeypatch.setattr(look_again, "MOST", 10)
    busy.emulator.admin.job_fault("drops_rows", job="export", rows=30)
    found = verify(busy)
    assert (found.counts[Count.RACES], found.counts[Verdict.MISSING]) == (10, 0)
    assert found.counts[Verdict.NOT_COMPARABLE] == 20

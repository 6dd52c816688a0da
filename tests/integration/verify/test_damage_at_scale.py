"""V10 with as many contacts as a brokerage has: all damages at once, and one repair."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contact_sync.base.verdicts import Count
from contact_sync.verify.repair import repair
from local.oracle import differences, expected
from local.postgres.server import Cluster
from tests.support import edits_by_hand
from tests.support.damage import FOREIGN, lose_state, wait
from tests.support.edits_by_hand import KINDS
from tests.support.restores import template
from tests.support.verified import found_in, in_order, judged, verify
from tests.support.world import LIST_NAME, World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

CLIENTS = int(os.environ.get("DAMAGED_CLIENTS", "100000"))
SHARE = CLIENTS // 1_000
"""So many contacts of each kind of damage, or some times as many."""
EVERYTHING = {"contacts": CLIENTS, "share": 1}


def address(number: int) -> str:
    """Of the client with this id."""
    return f"client{number}@example.com"


@pytest.fixture
def large(world: World) -> World:
    """Clients that SendGrid has, every tenth of them without a name, and contacts that are
    nobody's; some clients have moved or are gone."""
    world.redefine(
        deadlines={"job_hours": 1, "quarantine_minutes": 0.0},
        limits={"changes": EVERYTHING, "removals": EVERYTHING},
        on_address_change="unlist", on_client_deleted="unlist",
    )  # fmt: skip
    world.sql(
        """INSERT INTO b2core.clients (email, first_name, last_name, status_id)
           SELECT 'client' || n || '@example.com', CASE WHEN n %% 10 <> 0 THEN 'Zoë ' || n END,
                  'Lang', 1
           FROM generate_series(1, %s) AS n""",
        CLIENTS,
    )
    put(world, [{"email": f"{n}.{FOREIGN}", "city": "Theirs"} for n in range(5 * SHARE)], [])
    put(world, [{"email": f"on.{n}.{FOREIGN}"} for n in range(SHARE)], [world.list_id])
    world.run()
    former, gone = numbers(8), numbers(9)
    world.sql("UPDATE b2core.clients SET email = 'moved.' || email WHERE id = ANY(%s)", former)
    world.sql("DELETE FROM b2core.clients WHERE id = ANY(%s)", gone)
    for _ in range(2):
        world.run()
    return world


def numbers(kind: int, times: int = 1) -> list[int]:
    """Clients for a kind of damage; no other kind has them. Their ids end in its digit."""
    return [kind + 10 * n for n in range(1, times * SHARE + 1)]


def by_hand() -> list[list[str]]:
    """Addresses for each kind of edit by hand; who has a name, and no other damage."""
    free = iter(n for n in range(40 * SHARE, CLIENTS) if n % 10)
    return [[address(next(free)) for _ in range(SHARE)] for _ in KINDS]


def put(world: World, contacts: Sequence[dict[str, Any]], lists: list[str]) -> None:
    """Make or edit contacts at SendGrid."""
    for start in range(0, len(contacts), 1_000):
        world.emulator.admin.put_contacts(*contacts[start : start + 1_000], list_ids=lists)
    wait(world.emulator)


def idents(world: World, clients: list[int]) -> Iterator[str]:
    """SendGrid's ids of the clients' contacts, as calls take them."""
    contacts = world.contacts()
    ids = [contacts[address(n)]["id"] for n in clients]
    for start in range(0, len(ids), 100):
        yield ",".join(ids[start : start + 100])


def damage(world: World) -> Counter[str]:
    """What people and other tools do; returns how many of which verdict must be found."""
    edited, cleared, deleted = numbers(1, 3), numbers(2, 2), numbers(3, 2)
    unlisted, shouted, typed, dropped = numbers(4), numbers(5), numbers(0), numbers(6)
    world.sql("UPDATE b2core.clients SET last_name = 'Later' WHERE id = ANY(%s)", dropped)
    world.emulator.admin.job_fault("drops_rows", rows=SHARE)
    world.run()  # says that all of them are sent
    here = [world.list_id]
    put(world, [{"email": address(n), "first_name": "Eve"} for n in edited], here)
    put(world, [{"email": address(n), "first_name": "", "last_name": ""} for n in cleared], here)
    put(world, [{"email": address(n).upper(), "last_name": "Shouted"} for n in shouted], here)
    put(world, [{"email": address(n), "first_name": "Typed"} for n in typed], here)
    for ids in idents(world, deleted):
        world.delete_at_sendgrid(f"contacts?ids={ids}")
    for ids in idents(world, unlisted):
        world.delete_at_sendgrid(f"lists/{world.list_id}/contacts?contact_ids={ids}")
    put(world, [{"email": address(n)} for n in (*numbers(8), *numbers(9))], here)
    wait(world.emulator)
    typed_by_hand = Counter(edits_by_hand.do_all(world, by_hand()).values())
    return Counter({
        "different": len(edited) + len(cleared) + len(shouted) + len(typed),
        "missing": len(deleted), "off_list": len(unlisted),
        "former_on_list": SHARE, "deleted_on_list": SHARE,
        "foreign_on_list": SHARE + edits_by_hand.strangers(SHARE),
    }) + typed_by_hand  # fmt: skip


def foreign(world: World) -> dict[str, dict[str, Any]]:
    """The contacts that are nobody's, as they are, but for the list."""
    return {e: c | {"list_ids": len(c["list_ids"])} for e, c in world.contacts().items()
            if e.endswith(FOREIGN)}  # fmt: skip


def oracle(world: World) -> list[str]:
    """What isn't right of all contacts that aren't foreign."""
    own = {e: c for e, c in edits_by_hand.mapped(world).items() if not e.endswith(FOREIGN)}
    off = [address(n) for n in (*numbers(8), *numbers(9))]
    return differences(own, expected(world.b2core_url), list_id=world.list_id, unlisted=off)


def assert_right(world: World) -> None:
    """By the oracle, and by the verification."""
    assert oracle(world) == []
    found = verify(world)
    assert found.is_equal, found.counts
    assert found.sendgrid_digest == found.b2core_digest


def test_V10_all_damages_at_once_are_found_and_repaired(
    large: World, cluster: Cluster, tmp_path: Path
) -> None:
    """No contact more and none less than the oracle says; then a list and a field made anew, and a
    state database that is lost, or older than the account."""
    world, before = large, foreign(large)
    wanted = damage(world)
    untouched = foreign(world)
    assert before.items() <= untouched.items()
    found = verify(world)
    lost = judged(world)
    dropped = {address(n) for n in numbers(6)}  # the run has seen that: they wait for the next
    waiting = {email for _, email in lost} & dropped
    assert found.counts[Count.WAITING] == len(waiting) == SHARE
    assert {code: found.counts[code] for code in wanted} == wanted
    of_clients = {key: fields for key, fields in in_order(found_in(world, found)).items()
                  if key[0] in ("missing", "different", "off_list")}  # fmt: skip
    assert of_clients == in_order({k: f for k, f in lost.items() if k[1] not in waiting})
    with world.sync() as sync:
        repair(sync)
    assert world.run()["counts"]["sent"] == len(lost)
    assert_right(world)
    assert foreign(world) == untouched

    world.emulator.admin.settings(identifiers="ignore")  # or whoever got one can't be sent
    world.delete_at_sendgrid(f"lists/{world.list_id}")
    world.list_id = world.emulator.admin.create_list(LIST_NAME)
    world.recreate_field("Status", "Text")
    world.run()
    assert_right(world)

    with template(cluster, world.state_url, tmp_path) as restore:
        world.sql("UPDATE b2core.clients SET last_name = 'New' WHERE id = ANY(%s)", numbers(7))
        world.run()
        put(world, [{"email": address(n), "city": "Bern"} for n in numbers(1)], [world.list_id])
        world = replace(world, state_url=restore())
        assert verify(world, rebuild=True).counts["different"] == SHARE
        assert world.run()["counts"]["sent"] == SHARE
        assert_right(world)
        lose_state(world)
        put(world, [{"email": address(n), "city": "Bern"} for n in numbers(2)], [world.list_id])
        assert verify(world, rebuild=True).counts["different"] == SHARE
        assert world.run()["counts"]["sent"] == SHARE
        assert oracle(world) == []
    assert set(foreign(world)) == set(untouched)

"""B, O: fields, lists, mappings and code that change between two runs and within one."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from contact_sync.base.errors import ConfigError, FatalError
from contact_sync.base.vocabulary import RunKind
from contact_sync.contacts import mapping
from contact_sync.run.context import open_run
from contact_sync.run.finish_run import finish_run
from contact_sync.run.release_lease import release_lease
from contact_sync.run.start_run import start_run
from tests.support.steps import STEPS, go_on
from tests.support.world import LIST_NAME, World

LANES = pytest.mark.parametrize("lane", ["json", "csv"])
CHANGED = "mapping_changed"


def fields_of(world: World) -> dict[str, Any]:
    """The definition's mapping, to be edited."""
    return dict(world.definition.model_dump(mode="json")["fields"])


def move(world: World, addresses: dict[int, str]) -> None:
    """Give clients new addresses, all in one statement."""
    world.sql(
        """UPDATE b2core.clients AS c SET email = moved.email
           FROM unnest(%s::bigint[], %s::text[]) AS moved (id, email) WHERE c.id = moved.id""",
        list(addresses),
        list(addresses.values()),
    )


@LANES
@pytest.mark.parametrize("seed", range(2))
def test_B01_B02_any_exchange_of_addresses(world: World, seed: int, lane: str) -> None:
    """Swaps, circles and chains among thirty clients, some to addresses that nobody had."""
    world.redefine(lane=lane)
    chance = random.Random(seed)
    pool = [f"a{n}@example.com" for n in range(36)]
    clients = [
        world.add(pool[n], first_name=f"N{n}", jurisdiction_id=1 + n % 3 if n % 4 else None)
        for n in range(30)
    ]
    world.run()
    for _ in range(2):
        chance.shuffle(pool)
        move(world, dict(zip(clients, pool, strict=False)))
        world.run()
        world.assert_converged()
    assert world.run()["counts"]["sent"] == 0


@pytest.mark.parametrize("then", ["stays", "leaves again"])
def test_B01_B04_moving_to_a_newer_clients_address_leaves_no_ghost(world: World, then: str) -> None:
    """The older client loses the shared address; its former contact goes all the same."""
    old = world.add("a@example.com", first_name="Old")
    world.add("b@example.com", first_name="New")
    world.run()
    world.edit(old, email="b@example.com")
    world.run()
    if then == "leaves again":
        world.edit(old, email="c@example.com")
        world.run()
    world.assert_converged()


@LANES
@pytest.mark.parametrize("again", ["Text", None], ids=["made again", "gone"])
def test_B16_a_field_that_changes_after_the_check_stops_the_run(
    world: World, again: str | None, lane: str
) -> None:
    """Between reading and sending: nothing arrives under a wrong id, nothing is lost."""
    world.redefine(lane=lane)
    world.seed()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="first")
        go_on(sync, run_id, before="submit")
        world.recreate_field("Status", again)
        with pytest.raises(FatalError):
            STEPS["submit"](sync, open_run(sync, run_id))
        release_lease(sync, run_id, "field")
    assert world.contacts() == {}
    if again is None:
        with pytest.raises(ConfigError, match="SendGrid has no field 'Status': create it"):
            world.run()
        world.emulator.admin.create_field("Status", "Text")
    world.run()
    world.assert_converged()


def test_B17_a_deleted_list_is_told_and_a_new_one_filled(world: World) -> None:
    """Nothing is sent meanwhile; under the same name it has another id, so everyone is sent."""
    world.seed()
    world.run()
    world.delete_at_sendgrid(f"lists/{world.list_id}")
    world.edit(1, first_name="Ana")
    writes = world.writes()
    with pytest.raises(ConfigError, match=f"list '{LIST_NAME}' was deleted since the last run"):
        world.run()
    assert world.writes() == writes
    world.list_id = world.emulator.admin.create_list(LIST_NAME)
    report = world.run()
    assert (report["kind_reason"], report["counts"]["sent"]) == (CHANGED, 4)
    world.assert_converged()
    assert world.run()["counts"]["sent"] == 0


@LANES
def test_B17_a_list_deleted_after_the_check_stops_the_run(world: World, lane: str) -> None:
    """The next run says what is missing; with a new list everyone is on it."""
    world.redefine(lane=lane)
    world.seed()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="first")
        go_on(sync, run_id, before="submit")
        world.delete_at_sendgrid(f"lists/{world.list_id}")
        with pytest.raises(FatalError):
            STEPS["submit"](sync, open_run(sync, run_id))
        release_lease(sync, run_id, "list")
    assert world.contacts() == {}
    world.list_id = world.emulator.admin.create_list(LIST_NAME)
    world.run()
    world.assert_converged()


def without(world: World) -> None:
    """Leave one field out."""
    world.redefine(fields={k: v for k, v in fields_of(world).items() if k != "city"})


CHANGES: dict[str, Callable[[World], object]] = {
    "another column": lambda w: w.redefine(fields=fields_of(w) | {"last_name": "city"}),
    "one field less": without,
    "another policy": lambda w: w.redefine(
        fields=fields_of(w) | {"city": {"column": "city", "on_too_long": "reject"}}
    ),
    "no list": lambda w: w.redefine(list=None),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_B18_a_changed_definition_sends_everyone_once(world: World, change: str) -> None:
    """By a full run of its own accord; the run after it finds nothing to do."""
    world.seed()
    world.run()
    CHANGES[change](world)
    report = world.run()
    assert (report["kind"], report["kind_reason"]) == ("full", CHANGED)
    assert report["counts"]["sent"] == 4
    again = world.run()
    assert (again["kind"], again["counts"]["sent"]) == ("incremental", 0)


def test_B18_what_changes_nothing_that_is_sent_sends_nobody(world: World) -> None:
    """Caption, schedule, lane and batch sizes are no mapping."""
    world.seed()
    world.run()
    world.redefine(caption="Other", schedule="@daily", lane="csv", slice_clients=1000)
    report = world.run()
    assert (report["kind"], report["counts"]["sent"]) == ("incremental", 0)


@pytest.mark.parametrize("before", ["select", "stage", "plan", "submit", "settle", "finish"])
def test_O11_code_that_changes_during_a_run(
    world: World, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever task is the first with the new converters: the next run compares everyone again."""
    world.seed()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="first")
        go_on(sync, run_id, before=before)
        monkeypatch.setattr(mapping, "TRANSFORM_VERSION", mapping.TRANSFORM_VERSION + 1)
        after = list(STEPS)[list(STEPS).index(before) - 1]
        go_on(sync, run_id, after=after, before="finish")
        finish_run(sync, open_run(sync, run_id))
    assert world.run()["kind_reason"] == CHANGED
    world.assert_converged()
    assert world.run()["counts"]["sent"] == 0

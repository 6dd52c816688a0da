"""No table of the state database that may hold a person is forgotten by an erasure."""

from __future__ import annotations

import pytest

from contact_sync.state import row_counts, syncs
from contact_sync.state.purging import PURGES
from tests.support.erased import ask, erase, go_on, outlast_the_search, states, traces
from tests.support.world import World

ANN = "ann@example.com"
PERSONAL = ("client_id", "email", "email_hash", "former", "members", "first_id", "only_clients",
            "client_ids", "counted")  # fmt: skip
"""Columns that hold, or tell of, a person."""
OWN = ("erasure_address", "erasure_client")
"""Tables of erasures, whose rows end with them."""
PACKED = ("outbox_block", "row_count")
"""Many clients are in one value of a row, out of which one is taken."""


def test_E01_every_table_with_a_person_is_purged(world: World) -> None:
    """By a statement that names it; a new table or column fails here until there is one."""
    tables = world.state(
        """SELECT DISTINCT table_name FROM information_schema.columns AS c
           JOIN information_schema.tables AS t USING (table_schema, table_name)
           WHERE table_schema = 'contact_sync' AND table_type = 'BASE TABLE'
           AND column_name = ANY(%s)""",
        list(PERSONAL),
    )
    purged = " ".join(PURGES.values()).split()
    left = [name for (name,) in tables if f"contact_sync.{name}" not in purged]
    assert sorted(left) == sorted((*OWN, *PACKED))


def test_E01_A06_an_erasure_hides_no_deleted_row(world: World) -> None:
    """Only the client itself is taken out of what was counted: the next run needn't be full."""
    world.seed()
    for mode in ("incremental", "full", "incremental"):
        world.run(mode)
    erase(world, client="1")
    with world.sync() as sync, sync.state.transaction() as cursor:
        kept = row_counts.newest(cursor, 1, 1_000)
        assert kept is not None
        counted, _ = row_counts.read(cursor, 1, kept)
    assert counted.client_id.tolist() == [2, 3, 4, 5]
    world.sql("DELETE FROM b2core.client_phones WHERE client_id = 2")
    report = world.run()
    assert (report["kind"], report["counts"]["cleared"]) == ("incremental", 1)


@pytest.mark.parametrize("finished", [True, False])
def test_E14_a_sync_that_is_renamed_or_forgotten_keeps_its_tombstones(
    world: World, finished: bool
) -> None:
    """Under its new name the client is erased, too; what a forgotten sync left undone is told."""
    client = world.add(ANN)
    world.run()
    erasure_id = erase(world, email=ANN) if finished else ask(world, email=ANN)
    with world.sync() as sync, sync.state.transaction() as cursor:
        syncs.rename_sync(cursor, "demo", "other")
    world.redefine(name="other")
    world.edit(client, email="quite.another@example.com")
    if finished:
        world.run()
        assert world.contacts() == {}
    with world.sync() as sync, sync.state.transaction() as cursor:
        syncs.forget_sync(cursor, "other")
    world.run("full")
    assert "quite.another@example.com" not in world.contacts()
    assert states(world) == {erasure_id: "finished" if finished else "open"}
    assert traces(world, ANN) == []
    assert go_on(world) == []


def test_E01_who_stands_in_plans_and_lists_of_changes_is_nowhere(world: World) -> None:
    """An example of a rejection, a row with encrypted values, also of a dry run; and no later run
    writes any of it again."""
    world.redefine(changes={"values": "encrypted"})
    client = world.add(ANN, id=987_654_321, first_name="Ann")
    world.run()
    world.edit(client, first_name="Anna")
    world.run()
    world.edit(client, email="not an address")
    world.run()
    world.run(dry_run=True)
    assert {"change: 987654321", "run: 987654321"} <= set(traces(world, str(client)))
    ask(world, client=str(client), also=[ANN])
    outlast_the_search(world)
    assert go_on(world) == [None]
    world.run("full")
    world.run(dry_run=True)
    assert traces(world, ANN, str(client)) == []

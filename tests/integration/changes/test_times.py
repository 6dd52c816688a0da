"""A: times that are equal, missing, repeated or cut, and rows that come while others are read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.support.world import World

BY_TIME = {"change_detection": "updated_at", "overlap_minutes": 1}


def test_A02_many_rows_with_the_same_time(world: World) -> None:
    """More than a slice holds: each is read once, by the first load and by the next run."""
    world.redefine(source=BY_TIME, slice_clients=1000, csv_batch_contacts=1000)
    world.sql(
        """INSERT INTO b2core.clients (email, updated_at)
           SELECT 'client' || n || '@example.com', now() FROM generate_series(1, 2500) AS n"""
    )
    first = world.run()
    assert (first["counts"]["read"], first["books"]["confirmed"]) == (2500, 2500)
    world.sql("UPDATE b2core.clients SET last_name = 'Same', updated_at = clock_timestamp()")
    world.redefine(limits={"changes": {"contacts": 5000, "share": 1.0}})
    second = world.run()
    assert (second["kind"], second["counts"]["sent"]) == ("incremental", 2500)
    assert world.run()["counts"]["sent"] == 0


def test_A03_rows_that_come_and_go_while_others_are_read(world: World) -> None:
    """One snapshot: who was there at its start is read, exactly once, nobody else is."""
    ids = [world.add(f"client{n}@example.com") for n in range(3)]
    with world.sync() as sync, sync.b2core.snapshot() as snapshot:
        snapshot.position()  # the first statement takes the snapshot
        world.add("late@example.com")
        world.sql("DELETE FROM b2core.clients WHERE id = %s", ids[0])
        world.edit(ids[1], email="moved@example.com")
        found = [row for batch in snapshot.scan() for row in batch.to_pylist()]
    assert sorted(row["client_id"] for row in found) == ids
    assert "moved@example.com" not in {row["email"] for row in found}


@pytest.mark.own_connections
def test_A11_both_hours_at_the_end_of_summer_time(world: World) -> None:
    """02:30 happens twice; both edits are found from a watermark before, one from between."""
    world.redefine(source=BY_TIME)
    first, second = world.add("first@example.com"), world.add("second@example.com")
    world.sql("ALTER ROLE contact_sync_reader SET TimeZone = 'Europe/Zurich'")
    world.edit(first, updated_at=datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    world.edit(second, updated_at=datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    world.sql("UPDATE b2core.client_phones SET updated_at = '2020-01-01'")
    try:
        with world.sync() as sync, sync.b2core.snapshot() as snapshot:
            before = snapshot.changed_since(datetime(2026, 10, 25, 0, 15, tzinfo=UTC))
            between = snapshot.changed_since(datetime(2026, 10, 25, 1, 0, tzinfo=UTC))
    finally:
        world.sql("ALTER ROLE contact_sync_reader RESET TimeZone")
    assert (sorted(before), list(between)) == ([first, second], [second])


@pytest.mark.parametrize("updated_at", ["NULL", "clock_timestamp()"], ids=["A13", "A12"])
def test_A12_A13_no_time_and_microseconds(world: World, updated_at: str) -> None:
    """An edit is sent once, whatever its time is, and a second one in the same second too."""
    world.redefine(source=BY_TIME)
    client = world.add("ann@example.com")
    world.run()
    for name in ("Once", "Again"):
        world.sql(
            f"UPDATE b2core.clients SET first_name = %s, updated_at = {updated_at} WHERE id = %s",
            name, client,
        )  # fmt: skip
        assert world.run()["counts"]["sent"] == 1
        assert world.run()["counts"]["sent"] == 0
    world.assert_converged()

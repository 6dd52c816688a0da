"""The list of rejected clients: by reason, in pages, and all of them in bounded memory."""

from __future__ import annotations

from contextlib import closing

import pytest

from contact_sync.lookup.find_clients import addresses_of
from contact_sync.state.for_people import rejected
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.rejected import Filter
from contact_sync.state.for_people.syncs import sync_row
from tests.support.world import World


def test_by_reason_and_in_pages_that_begin_after_an_id(world: World) -> None:
    """Each page goes on where the last one ended; a filter takes field and reason."""
    bad = [world.add(f"bad {n}") for n in range(5)]
    none = world.add(None)
    world.add("ann@example.com")
    world.run()
    with world.sync() as sync, reading(sync.state) as cursor:
        look = sync_row(cursor, "demo")
        assert look is not None
        counts = rejected.count_reasons(cursor, look.sync_id)
        assert [(row.field, row.reason, row.n) for row in counts] == [
            ("email", "invalid", 5),
            ("email", "missing", 1),
        ]
        which = Filter(look.sync_id, "email", "invalid")
        first = rejected.page_of_clients(cursor, which, 3)
        rest = Filter(look.sync_id, "email", "invalid", first[-1].client_id)
        second = rejected.page_of_clients(cursor, rest, 3)
        everybody = rejected.page_of_clients(cursor, Filter(look.sync_id), 100)
    assert [row.client_id for row in first + second] == bad
    assert [row.client_id for row in everybody] == [*bad, none]
    assert all(row.tries == 1 and row.first_seen <= row.last_seen for row in everybody)
    with world.sync() as sync:
        assert addresses_of(sync, [*bad, none]) == {c: f"bad {n}" for n, c in enumerate(bad)}


def test_all_of_them_come_in_chunks_between_which_nothing_is_held_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a transaction nor a cursor, however long whoever takes them stalls; negative ids
    come first."""
    for n in range(25):
        world.add(f"bad {n}")
    world.run()
    monkeypatch.setattr(rejected, "CHUNK", 10)
    world.state("UPDATE contact_sync.ledger SET client_id = -1 WHERE client_id = 25")
    busy = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
              AND application_name = 'contact_sync' AND state <> 'idle'"""
    seen: list[list[int]] = []
    with world.sync() as sync:
        for chunk in rejected.all_clients(sync.state, Filter(1)):
            seen.append([row.client_id for row in chunk])
            assert world.state(busy) == [(0,)]
        with closing(rejected.all_clients(sync.state, Filter(1, after=20))) as stream:
            assert [row.client_id for row in next(stream)] == [21, 22, 23, 24]
    assert [client for chunk in seen for client in chunk] == [-1, *range(1, 25)]
    assert [len(chunk) for chunk in seen] == [10, 10, 5]

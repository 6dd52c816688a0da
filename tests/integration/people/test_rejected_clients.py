"""The list of rejected clients: by reason, in pages, and as a stream in bounded memory."""

from __future__ import annotations

import time
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


def test_a_stream_of_any_length_holds_one_chunk(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server keeps the rest; who stops in the middle ends its transaction."""
    for n in range(25):
        world.add(f"bad {n}")
    world.run()
    monkeypatch.setattr(rejected, "CHUNK", 10)
    with world.sync() as sync:
        chunks = [len(chunk) for chunk in rejected.all_clients(sync.state, Filter(1))]
        assert chunks == [10, 10, 5]
        with closing(rejected.all_clients(sync.state, Filter(1, after=20))) as stream:
            assert [row.client_id for row in next(stream)] == [21, 22, 23, 24, 25]
        busy = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                      AND application_name = 'contact_sync' AND state <> 'idle'"""
        ends = time.monotonic() + 30  # the server notices a moment later
        while world.state(busy) != [(0,)]:
            assert time.monotonic() < ends
            time.sleep(0.1)

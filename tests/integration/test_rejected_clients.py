"""The list of rejected clients: by reason, in pages, and as a stream in bounded memory."""

from __future__ import annotations

import tracemalloc

from contact_sync.state import rejected
from contact_sync.state.lookup import look_at_sync
from contact_sync.state.pages import reading
from contact_sync.state.rejected import CHUNK, Filter
from contact_sync.steps.find import addresses_of
from tests.world import World


def test_by_reason_and_in_pages_that_begin_after_an_id(world: World) -> None:
    """Each page goes on where the last one ended; a filter takes field and reason."""
    bad = [world.add(f"bad {n}") for n in range(5)]
    none = world.add(None)
    world.add("ann@example.com")
    world.run()
    with world.sync() as sync, reading(sync.state) as cursor:
        look = look_at_sync(cursor, "demo")
        assert look is not None
        counts = rejected.count_reasons(cursor, look.sync_id)
        assert [(row["field"], row["reason"], row["n"]) for row in counts] == [
            ("email", "invalid", 5),
            ("email", "missing", 1),
        ]
        which = Filter(look.sync_id, "email", "invalid")
        first = rejected.page_of_clients(cursor, which, 3)
        rest = Filter(look.sync_id, "email", "invalid", first[-1]["client_id"])
        second = rejected.page_of_clients(cursor, rest, 3)
        everybody = rejected.page_of_clients(cursor, Filter(look.sync_id), 100)
    assert [row["client_id"] for row in first + second] == bad
    assert [row["client_id"] for row in everybody] == [*bad, none]
    assert all(row["tries"] == 1 and row["first_seen"] <= row["last_seen"] for row in everybody)
    with world.sync() as sync:
        assert addresses_of(sync, [*bad, none]) == {c: f"bad {n}" for n, c in enumerate(bad)}


def test_a_stream_of_any_length_holds_one_chunk(world: World) -> None:
    """100,000 clients need no more memory than a few thousand."""
    world.add("bad")
    world.run()
    world.state(
        """INSERT INTO contact_sync.ledger (sync_id, client_id, state, email_hash, field, reason)
           SELECT l.sync_id, n, 'rejected', 0, 'email', 'invalid'
           FROM contact_sync.ledger AS l CROSS JOIN generate_series(2, 100000) AS n"""
    )
    sizes = []
    with world.sync() as sync:
        tracemalloc.start()
        chunks = rejected.all_clients(sync.state, Filter(1))
        sizes = [len(chunk) for chunk in chunks]
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert sizes == [CHUNK] * (100_000 // CHUNK)
    assert peak < 12_000_000

"""L: after years, a run, a page and `status` read as much of the state database as on day one."""

from __future__ import annotations

import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from contact_sync.cli import status
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.runs import latest_runs, runs_of_holder
from contact_sync.state.for_people.silence import silence
from contact_sync.state.for_people.syncs import sync_rows
from tests.support import connections
from tests.support.world import World

pytestmark = pytest.mark.own_connections  # a session tells what it has read when it ends

RUNS, KEPT = 100_000, 10_000
SLACK = 300
"""Rows that a limit of a statement lets it read more, once there are so many."""
READ = """SELECT relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
          FROM pg_stat_user_tables WHERE schemaname = 'contact_sync'"""


def grow_old(world: World) -> None:
    """Years of runs with a batch each, some of them with an unclear fate or cut in two, dry runs
    and failed ones among them, and contacts that stay as nobody's."""
    with connections.connection(world.state_url) as connection:
        connection.execute(
            """INSERT INTO contact_sync.run (sync_id, epoch, kind, dry_run, state, holder,
                   definition_hash, started_at, finished_at, plan, result, snapshot, destination)
               SELECT r.sync_id, 0, 'incremental', n %% 50 = 0,
                   CASE WHEN n %% 20 = 0 THEN 'failed' ELSE 'succeeded' END,
                   format('DAG run contact_sync_demo scheduled__%%s, started x', n), 'x',
                   now() - (n + 100) * interval '15 minutes',
                   now() - (n + 99) * interval '15 minutes', r.plan, r.result, r.snapshot,
                   r.destination
               FROM contact_sync.run AS r CROSS JOIN generate_series(1, %s) AS n
               WHERE r.run_id = (SELECT min(run_id) FROM contact_sync.run)""",
            [RUNS],
        )
        connection.execute(
            """INSERT INTO contact_sync.batch (run_id, sync_id, lane, state, contacts, job_id,
                   job_status, submitted_at, settled_at, fate_unknown_at, outcome)
               SELECT run_id, sync_id, CASE WHEN run_id % 10 = 0 THEN 'delete' ELSE 'json' END,
                   'settled', 1, md5(run_id::text), 'completed', started_at, finished_at,
                   CASE WHEN run_id % 100 = 0 THEN started_at END, 'applied'
               FROM contact_sync.run WHERE definition_hash = 'x'"""
        )
        connection.execute(
            """UPDATE contact_sync.batch SET root_id = batch_id - 1
               WHERE batch_id % 500 = 0"""
        )
        connection.execute(
            """INSERT INTO contact_sync.removal
                   (sync_id, email, email_hash, client_id, why, kept, noted_at)
               SELECT sync_id, '#' || n, n, -n, 'gone', TRUE, now() - interval '1 year'
               FROM contact_sync.sync CROSS JOIN generate_series(1, %s) AS n""",
            [KEPT],
        )
        connection.execute("ANALYZE contact_sync.run")
        connection.execute("ANALYZE contact_sync.batch")
        connection.execute("ANALYZE contact_sync.removal")


def rows_read(world: World, work: Callable[[], Any]) -> Counter[str]:
    """How many rows of each table something reads, or gets by an index."""
    before = counted(world)
    work()
    return counted(world) - before


def counted(world: World) -> Counter[str]:
    """The server's own count, once every other session has ended and told its share."""
    others = """SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()"""
    for _ in range(100):
        if world.state(others) == [(0,)]:
            break
        time.sleep(0.1)
    else:
        pytest.fail("a session of the product doesn't end")
    return Counter(dict(world.state(READ)))


def changed_run(world: World) -> None:
    """A run that sends a change, and moves an address and removes its former contact."""
    stamp = str(world.state("SELECT max(run_id) FROM contact_sync.run")[0][0])
    world.edit(1, first_name=f"N{stamp}")
    world.edit(2, email=f"moved{stamp}@example.com")
    world.run()


def said_status(world: World) -> None:
    """All that `status` can say."""
    options = Namespace(
        sync="demo", runs=5, json=False, rejected=True, dropped=True, stale=True, limit=100
    )
    with world.sync() as sync:
        assert list(status.lines(sync, options))


def pages(world: World) -> None:
    """What the pages of syncs, of a sync and of a DAG run ask, and an alert."""
    with world.sync() as sync:
        with reading(sync.state) as cursor:
            assert sync_rows(cursor, ["demo"])
            assert latest_runs(cursor, ["demo"], 20)
            runs_of_holder(cursor, "demo", "DAG run contact_sync_demo scheduled__7, ", 5)
        silence(sync.state, "demo", datetime.now(UTC), 6)


WORK: dict[str, Callable[[World], object]] = {
    "a run with changes": changed_run,
    "a run with none": lambda world: world.run(),
    "a full run": lambda world: world.run("full"),
    "a dry run": lambda world: world.run(dry_run=True),
    "status": said_status,
    "pages": pages,
}


@pytest.mark.timeout(600)
def test_L01_what_is_done_in_years_makes_nothing_slower(world: World) -> None:
    """Each reads as many rows as before, save that a run reads once which contacts are nobody's."""
    world.seed()
    world.run()
    young: dict[str, Counter[str]] = {}
    old: dict[str, Counter[str]] = {}
    for found in (young, old):
        for name, work in WORK.items():
            work(world)  # the first time there may be something to be made up for
            found[name] = rows_read(world, partial(work, world))
        if found is young:
            grow_old(world)
    more = {
        (name, table): n - young[name][table]
        for name, tables in old.items()
        for table, n in tables.items()
        if n - young[name][table] > SLACK
    }
    marks = {(name, "removal") for name in WORK if "run" in name}
    assert more.keys() <= marks, more
    assert max(more.values()) < KEPT + SLACK


def test_L02_what_nobodys_contact_needs_ends_when_a_client_has_it(world: World) -> None:
    """The mark that its new owner's fields have to be emptied: then no row is kept for it."""
    world.redefine(on_address_change="keep")
    world.seed()
    world.run()
    world.edit(1, email="moved@example.com")
    world.run()
    kept = "SELECT count(*) FROM contact_sync.removal WHERE kept"
    assert world.state(kept) == [(1,)]
    world.add("client1@example.com", first_name="Other")
    world.run()
    assert world.state(kept) == [(0,)]
    world.assert_converged(unlisted=None)

"""L: what a run, a page and `status` ask of runs is found by an index, however many there were."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg

from contact_sync.state import statements
from contact_sync.state.database import SETTINGS
from tests.support.world import World

RUNS, MOST = 10_000, 200
ASKED = {
    "identity": ["look"],
    "former_lists": ["former_lists"],
    "dropped": ["count_dropped"],
    "leases": ["supersede_runs"],
    "runs": ["load_run", "end_dead_dry_runs"],
    "staging": ["drop_slices_of_dead_runs", "runs_not_cleared"],
    "batches": ["open_of_earlier_runs", "open_roots", "seconds_since_unknown"],
    "removed_by_hand": ["own_contacts"],
    "rebuilds": ["newest_run"],
    "sides": ["is_running"],
    "for_people/runs": ["newest_runs", "runs_of_holder", "runs"],
    "for_people/syncs": ["sync_rows"],
    "for_people/silence": ["silence"],
}
"""Statements on runs and batches, by file."""
VALUES: dict[str, Any] = {
    "sync_id": 1, "run_id": RUNS, "why": "too_old", "cause": "-", "seconds": 3600, "place": None,
    "mark_run": None, "mark_life": None, "names": ["demo"], "name": "demo", "sync": "demo",
    "at_most": 20, "holder": r"DAG run contact\_sync\_demo scheduled\_\_77, %", "run_ids": [RUNS],
    "hours": 6, "queued_at": "2026-11-28 00:00+00", "lanes": ["json"], "brought_back": [],
}  # fmt: skip
OLD = """INSERT INTO contact_sync.run (sync_id, epoch, kind, dry_run, state, holder,
             definition_hash, started_at, finished_at, destination, plan)
         SELECT 1, 0, 'incremental', n %% 50 = 0,
             CASE WHEN n %% 20 = 0 THEN 'failed' ELSE 'succeeded' END,
             format('DAG run contact_sync_demo scheduled__%%s, started x', n), 'x',
             now() - (%(runs)s - n) * interval '15 minutes',
             now() - (%(runs)s - n - 1) * interval '15 minutes',
             '{"mapping": {"list_id": "a"}}', jsonb_build_object('counts', repeat('-', 200))
         FROM generate_series(1, %(runs)s) AS n"""
BATCHES = """INSERT INTO contact_sync.batch (run_id, sync_id, lane, state, contacts, job_id,
                 submitted_at, settled_at, outcome)
             SELECT run_id, 1, 'json', 'settled', 1, 'j', started_at, finished_at, 'applied'
             FROM contact_sync.run"""


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan and all that is below it."""
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def rows_read(connection: psycopg.Connection, statement: str) -> int:
    """How many rows of runs and batches a statement reads, whether or not it takes them."""
    values = {name: VALUES[name] for name in set(re.findall(r"%\((\w+)\)s", statement))}
    explained = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}"
    with connection.transaction(force_rollback=True):
        ((found,),) = connection.execute(explained.encode(), values).fetchall()
    return int(sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in nodes(found[0]["Plan"])
        if node.get("Relation Name") in ("run", "batch") and "Scan" in node["Node Type"]
    ))  # fmt: skip


def test_L01_no_question_about_runs_looks_through_them(world: World) -> None:
    """Two years of one each quarter of an hour would else be read by each step."""
    with (
        psycopg.connect(world.state_url, autocommit=True) as connection,
        connection.transaction(force_rollback=True),
    ):
        connection.execute("INSERT INTO contact_sync.sync (name) VALUES ('demo')")
        connection.execute(OLD, {"runs": RUNS})
        connection.execute(BATCHES)
        for table in ("run", "batch"):
            connection.execute(f"ANALYZE contact_sync.{table}".encode())
        for name, value in SETTINGS.items():
            connection.execute("SELECT set_config(%s, %s, TRUE)", [name, value])
        read = {
            (file, name): rows_read(connection, statements.load(file)[name])
            for file, names in ASKED.items()
            for name in names
        }
    assert {which: n for which, n in read.items() if n > MOST} == {}

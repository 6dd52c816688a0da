"""L: a run that is about few clients asks the state database of few, however many there are."""

from __future__ import annotations

import time

import psycopg

from tests.support import connections
from tests.support.world import World

CLIENTS, FEW, PAGES = 3_000, 200, 150
"""So many rows of the ledger, and pages of the outbox and its indexes, may a run read that is about
one client: each of its statements a few."""
MANY = """WITH made AS (
              INSERT INTO b2core.clients (email, first_name, status_id)
              SELECT
                  CASE WHEN mod(n, 200) = 0 THEN 'nobody' ELSE concat('c', n, '@example.com') END,
                  'Zoë', 1
              FROM generate_series(1, 3000) AS n
              RETURNING id
          )
          SELECT count(*) FROM made"""
ROWS = """SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'ledger'"""
BLOCKS = """SELECT heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read
            FROM pg_statio_user_tables WHERE relname = 'outbox'"""
OTHERS = """SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'contact_sync'"""


def read_by_a_run(world: World) -> tuple[int, int]:
    """Rows of the ledger and pages of the outbox that an incremental run reads."""
    before = numbers(world)
    world.run()
    after = numbers(world)
    return after[0] - before[0], after[1] - before[1]


def numbers(world: World) -> tuple[int, int]:
    """PostgreSQL's counts so far: those of a session are complete when it has ended."""
    connections.close_all()
    with psycopg.connect(world.state_url, autocommit=True) as connection:
        for _ in range(1_000):
            if connection.execute(OTHERS).fetchall() == [(0,)]:
                break
            time.sleep(0.01)
        ((rows,),) = connection.execute(ROWS).fetchall()
        ((blocks,),) = connection.execute(BLOCKS).fetchall()
    return int(rows), int(blocks)


def test_L01_a_run_about_few_clients_reads_neither_the_ledger_nor_what_was_staged(
    world: World,
) -> None:
    """Also just after a first load: nobody has told the planner of it but the run, and what it has
    sent is dead in the outbox. The books of a run with changes count the ledger, once."""
    for table in ("ledger", "outbox"):
        world.state(f"ALTER TABLE contact_sync.{table} SET (autovacuum_enabled = FALSE)")
    world.sql(MANY)
    assert world.run()["counts"]["sent"] > CLIENTS * 9 // 10
    world.run()  # the first one after it reads everything
    read = {"nothing": read_by_a_run(world)}
    for name in ("one changed", "another", "it again"):
        world.edit(2 if name == "another" else 1, first_name=name)
        read[name] = read_by_a_run(world)
    read["nothing again"] = read_by_a_run(world)
    counted = {name: CLIENTS * name.endswith(("changed", "another", "it again")) for name in read}
    assert {name: n for name, n in read.items() if n[0] - counted[name] > FEW or n[1] > PAGES} == {}

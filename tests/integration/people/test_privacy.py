"""G10, H4: personal data stays in the columns that are for it, and is told to nobody.

Besides these, tests/support/canary.py searches the logs, exceptions and state of all tests.
"""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, closing

import psycopg
import pytest

from contact_sync.base import failpoints
from contact_sync.base.errors import SyncError
from contact_sync.cli import main as cli
from contact_sync.postgres import arrow_reader
from contact_sync.state.database import StateDatabase
from contact_sync.sync import Sync
from tests.support import canary
from tests.support.forks import FORKS
from tests.support.world import World

ADDRESS = "client1@example.com"


def test_G10_a_planted_canary_is_found_in_the_state(world: World) -> None:
    """In any column that isn't for addresses; those that are may hold them."""
    world.seed()
    world.run()
    canary.scan_state(world.state_url)
    assert canary.hits.take() == []
    assert world.state("SELECT count(*) FROM contact_sync.ledger WHERE email LIKE 'c%%'") == [(4,)]
    for table, column, value, who in (
        ("ledger", "detail", f"no {ADDRESS}", "state = 'rejected'"),
        ("run", "cause", f"no {ADDRESS}", "TRUE"),
        ("batch", "counts", '{"name": "Zoë 3"}', "TRUE"),
    ):
        one = f"(SELECT min(ctid) FROM contact_sync.{table} WHERE {who})"
        ((before,),) = world.state(f"SELECT {column}::text FROM contact_sync.{table} WHERE {who}")
        world.state(f"UPDATE contact_sync.{table} SET {column} = %s WHERE ctid = {one}", value)
        canary.scan_state(world.state_url)
        assert len(canary.hits.take()) == 1
        world.state(f"UPDATE contact_sync.{table} SET {column} = %s WHERE {who}", before)


REFUSED = [
    f"INSERT INTO contact_sync.t VALUES ('{ADDRESS}'), ('{ADDRESS}')",
    f"SELECT '{ADDRESS}'::integer",
    f"SELECT '{ADDRESS}'::timestamptz",
    f"""SELECT '["{ADDRESS}'::jsonb""",
    f"INSERT INTO contact_sync.t VALUES ('{ADDRESS}', NULL)",
    f"DO $$ BEGIN RAISE EXCEPTION USING MESSAGE = '{ADDRESS}'; END $$",
    f'SELECT "{ADDRESS}"',
    f"SELEC '{ADDRESS}'",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_H04_the_state_databases_errors_are_told_without_values(
    world: World, statement: str
) -> None:
    """PostgreSQL's own text has the row in it, as the plain driver shows."""
    world.state("CREATE TABLE contact_sync.t (email text UNIQUE, n integer NOT NULL DEFAULT 0)")
    with pytest.raises(psycopg.Error, match=r"client1@example\.com") as plain:
        world.state(statement)
    with (
        pytest.raises(SyncError) as caught,
        StateDatabase(world.state_url).transaction() as cursor,
    ):
        cursor.execute(statement)
    assert ADDRESS not in f"{caught.value} {caught.value.args}"
    assert caught.value.__suppress_context__
    assert str(plain.value.sqlstate) in str(caught.value)


@pytest.mark.parametrize("statement", [REFUSED[1], REFUSED[2], REFUSED[3], REFUSED[5]])
def test_H04_the_sources_errors_are_told_without_values(world: World, statement: str) -> None:
    """Those of the Arrow reader: what a wrong cast in clients.sql would say about a client."""
    with (
        closing(arrow_reader.open_connection(world.reader_url, "B2CORE", seconds=60)) as connection,
        pytest.raises(SyncError) as caught,
    ):
        arrow_reader.table(connection, statement, "B2CORE")
    assert ADDRESS not in f"{caught.value} {caught.value.args}"
    assert "B2CORE" in str(caught.value)


def run_and_get(world: World, signal: str) -> None:
    """In a child process: the command line's run, which gets the signal in its middle."""
    os.environ[failpoints.VARIABLE] = "setup_checked"
    os.environ[failpoints.SIGNAL_VARIABLE] = signal

    def opened(*_: object) -> AbstractContextManager[Sync]:
        return world.sync()

    pytest.MonkeyPatch().setattr("contact_sync.cli.commands._open", opened)
    sys.exit(cli.main(["run", "demo"]))


@pytest.mark.parametrize(("signal", "code"), [("TERM", 143), ("INT", 130)])
def test_F_a_stopped_run_ends_with_its_cause_and_frees_the_lease(
    world: World, signal: str, code: int
) -> None:
    """Whoever stops the process, the next run begins at once, without a take-over."""
    world.seed()
    child = FORKS.Process(target=run_and_get, args=(world.portable(), signal))
    child.start()
    child.join(60)
    assert child.exitcode == code
    stopped = world.report()
    assert stopped["state"] == "failed"
    assert stopped["cause"].startswith(f"Stopped by SIG{signal}. Nothing is lost")
    world.run()
    world.assert_converged()

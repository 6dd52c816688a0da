"""N10: both databases behind PgBouncer, with another session of the server for each transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from contact_sync.b2core.contract import contract_findings
from contact_sync.base.findings import Judgement
from contact_sync.config.source import ChangeDetection
from contact_sync.lookup.explain import explain_client
from contact_sync.state.migrate import migrate
from contact_sync.state.pending import pending
from tests.support.pgbouncer import pooled
from tests.support.world import World

pytestmark = pytest.mark.own_connections


@pytest.fixture
def behind_a_pooler(world: World) -> Iterator[World]:
    """A world whose both databases are reached through it, by the roles that the project ships."""
    with pooled(world.state_url, world.reader_url) as (state, reader):
        direct, world.state_url, world.reader_url = world.state_url, state, reader
        yield world
        world.state_url = direct


def test_N10_runs_through_a_pooler_in_transaction_mode(behind_a_pooler: World) -> None:
    """The first load, changes by JSON and CSV, a full run, what people ask, and migrations."""
    world = behind_a_pooler
    assert sessions(world.state_url) > 1 < sessions(world.reader_url)
    world.seed()
    world.run()
    world.assert_converged()
    world.change()
    world.redefine(lane="csv")
    world.run()
    world.assert_converged()
    world.run("full")
    world.assert_converged()
    with world.sync() as sync:
        assert explain_client(sync, 1).known is not None
        with sync.b2core.snapshot() as snapshot:
            said = [
                *contract_findings(snapshot, ChangeDetection.XMIN, "email", ["email"]),
                snapshot.role(),
            ]
    assert {finding.judgement for finding in said} == {Judgement.OK}
    assert pending(world.state_url).steps == ()
    migrate(world.state_url)


def sessions(url: str) -> int:
    """How many sessions of the server a client meets, after others have made the pooler open some:
    without several, nothing would be tried."""
    with ExitStack() as others:
        for _ in range(3):
            others.enter_context(psycopg.connect(url)).execute("SELECT 1")
    with psycopg.connect(url, autocommit=True) as connection:
        ask = "SELECT pg_backend_pid()"
        return len({connection.execute(ask).fetchone() for _ in range(4)})

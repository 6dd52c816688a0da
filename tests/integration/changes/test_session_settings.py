"""What role, database or functions of B2CORE add to a session, a run doesn't depend on."""

from __future__ import annotations

import time

import pytest

from contact_sync.base.errors import ConfigError
from contact_sync.state.database import StateDatabase
from tests.support.source_faults import assert_failed_cleanly, replace_in
from tests.support.world import World

pytestmark = pytest.mark.own_connections
LIMITED = "?options=-ctransaction_timeout%3D200"
PAUSE = 0.3  # s; longer than the limit


def test_a_limit_of_a_role_for_transactions_ends_none_of_ours(world: World) -> None:
    """PostgreSQL 17 has one, and ends the session with it: no snapshot of a large B2CORE would come
    to its end."""
    world.add("ann@example.com")
    world.reader_url += LIMITED
    with world.sync() as sync, sync.b2core.snapshot() as snapshot:
        assert snapshot.columns().names
        time.sleep(PAUSE)
        assert [row["email"] for b in snapshot.scan() for row in b.to_pylist()] == [
            "ann@example.com"
        ]
    with StateDatabase(world.state_url + LIMITED).transaction() as cursor:
        time.sleep(PAUSE)
        assert cursor.execute("SELECT 1 AS one").fetchone() == {"one": 1}


def test_what_a_function_of_b2core_says_reaches_no_log(
    own_tables: World, own_sql: World, capfd: pytest.CaptureFixture[str]
) -> None:
    """libpq writes notices and warnings to standard error, which is a task's log."""
    own_tables.sql(
        """CREATE FUNCTION public.told(text) RETURNS text LANGUAGE plpgsql AS
           $$ BEGIN RAISE WARNING 'reading %%', $1; RETURN $1; END $$"""
    )
    replace_in(own_sql, "clients.sql", "clients.last_name::text", "public.told(clients.last_name)")
    own_sql.run("full")
    assert "reading" not in capfd.readouterr().err
    own_sql.assert_converged()


def test_a_function_that_writes_is_told_at_once(own_tables: World, own_sql: World) -> None:
    """It is no server that has become read-only, and trying again doesn't help."""
    own_tables.sql(
        """CREATE TABLE public.calls (id integer);
           CREATE FUNCTION public.counted(text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS
           $$ BEGIN INSERT INTO public.calls VALUES (1); RETURN $1; END $$"""
    )
    replace_in(
        own_sql, "clients.sql", "clients.last_name::text", "public.counted(clients.last_name)"
    )
    before = len(own_sql.writes())
    with pytest.raises(ConfigError, match=r"writes \(25006\): a function that it calls") as raised:
        own_sql.run("full")
    assert_failed_cleanly(own_sql, raised.value, writes=before)

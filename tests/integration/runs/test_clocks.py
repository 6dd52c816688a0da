"""N: the state server's clock jumps. Its jump back is the same as all stored times ahead by it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from psycopg import sql

from contact_sync.base.errors import FatalError, LeaseBusy
from contact_sync.base.vocabulary import RemovalReason, RunKind
from contact_sync.run.check_setup import check_setup
from contact_sync.run.context import open_run
from contact_sync.run.settle_earlier_runs import settle_earlier_runs
from contact_sync.run.start_run import start_run
from contact_sync.state import batches, ledger, removals
from contact_sync.state.runs import load_run
from tests.support import connections
from tests.support.steps import STEPS
from tests.support.world import World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
JUMPS = pytest.mark.parametrize(
    "jump", [HOUR, DAY, 400 * DAY], ids=["an hour", "a day", "over a year"]
)
UNKNOWN = pytest.mark.parametrize("state", ["settled", "submitting"])


def jump_back(world: World, jump: timedelta) -> None:
    """Set the state server's clock back by so much; ahead, or let time pass, if it is negative.

    The row of state_identity stays: it would be one that was restored, and holds no such time.
    """
    with connections.connection(world.state_url) as connection:
        found = connection.execute(
            """SELECT table_name, array_agg(column_name::text) FROM information_schema.columns
               JOIN information_schema.tables USING (table_schema, table_name)
               WHERE table_schema = 'contact_sync' AND table_type = 'BASE TABLE'
                   AND data_type LIKE 'timestamp%' AND table_name <> 'state_identity'
               GROUP BY table_name"""
        ).fetchall()
        for table, columns in found:
            moved = sql.SQL(", ").join(
                sql.SQL("{0} = {0} + {1}").format(sql.Identifier(name), sql.Literal(jump))
                for name in columns
            )
            name = sql.Identifier("contact_sync", table)
            connection.execute(sql.SQL("UPDATE {} SET {}").format(name, moved))
    assert len(found) > 5


def passes(world: World, time: timedelta) -> None:
    """Time passes."""
    jump_back(world, -time)


@JUMPS
def test_N08_a_lease_ends_after_its_own_length(world: World, jump: timedelta) -> None:
    """From the next run's first look at it: 15 minutes, not those and the jump."""
    world.seed()
    with world.sync() as sync:
        start_run(sync, RunKind.FULL, holder="killed")
    jump_back(world, jump)
    with pytest.raises(LeaseBusy):
        world.run()
    passes(world, timedelta(minutes=15, seconds=5))
    assert world.run()["state"] == "succeeded"
    world.assert_converged()


def test_N08_a_clock_that_goes_ahead_ends_a_lease_and_fences_the_older_run(world: World) -> None:
    """As if the time had passed: the older run writes nothing more."""
    world.seed()
    with world.sync() as sync:
        older = start_run(sync, RunKind.FULL, holder="at work")
    jump_back(world, -DAY)
    assert world.run()["state"] == "succeeded"
    with world.sync() as sync, pytest.raises(FatalError, match="is over"):
        open_run(sync, older)


@UNKNOWN
@JUMPS
@pytest.mark.parametrize("when", ["before the run", "while it waits"])
def test_N08_a_quarantine_ends_after_its_own_length(
    world: World, jump: timedelta, state: str, when: str
) -> None:
    """Of a request that may have left, whatever became of its batch."""
    world.seed()
    world.run()
    world.redefine(deadlines={"quarantine_minutes": 15, "run_hours": 24})
    insert_unknown(world, state)
    if when == "before the run":
        jump_back(world, jump)
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="next")
        if when == "while it waits":
            assert settle_earlier_runs(sync, open_run(sync, run_id)) is not None
            jump_back(world, jump)
        assert settle_earlier_runs(sync, open_run(sync, run_id)) is not None
        passes(world, timedelta(minutes=14))
        assert settle_earlier_runs(sync, open_run(sync, run_id)) is not None
        passes(world, timedelta(minutes=1, seconds=5))
        assert settle_earlier_runs(sync, open_run(sync, run_id)) is None


def insert_unknown(world: World, state: str) -> None:
    """A batch of an earlier run whose request may have left just now."""
    world.state(
        """INSERT INTO contact_sync.batch
               (run_id, sync_id, lane, state, contacts, submitted_at, fate_unknown_at, settled_at)
           SELECT run_id, sync_id, 'json', %(state)s, 0, now(), now(),
               CASE WHEN %(state)s = 'settled' THEN now() END
           FROM contact_sync.run""".replace("%(state)s", f"'{state}'")
    )


@JUMPS
def test_N08_the_nightly_run_comes_a_day_after_the_next_run_at_the_latest(
    world: World, jump: timedelta
) -> None:
    """However far the clock went back."""
    world.redefine(full_every_hours=24)
    world.seed()
    world.run()
    jump_back(world, jump)
    assert world.run()["kind"] == "incremental"
    passes(world, DAY)
    report = world.run()
    assert (report["kind"], report["kind_reason"]) == ("full", "full_run_due")


@JUMPS
def test_N08_a_run_ends_by_its_deadline(world: World, jump: timedelta) -> None:
    """It isn't let go on for the jump's length; nor is a dry run that was killed."""
    world.redefine(deadlines={"run_hours": 2})
    world.seed()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="slow")
        jump_back(world, jump)
        open_run(sync, run_id)
        passes(world, 2 * HOUR + timedelta(seconds=5))
        with pytest.raises(FatalError, match="run_hours"):
            open_run(sync, run_id)


@JUMPS
def test_N08_a_job_is_waited_for_as_long_as_its_deadline_says(
    world: World, jump: timedelta
) -> None:
    """Its age begins anew at the first look, and grows from there."""
    world.seed()
    world.run()
    insert_unknown(world, "submitting")
    jump_back(world, jump)
    ((batch_id,),) = world.state("SELECT max(batch_id) FROM contact_sync.batch")
    with world.sync() as sync:
        age = batches.load_batch(sync.state, batch_id).submitted_seconds
        assert age is not None
        assert 0 <= age < 600
        passes(world, HOUR)
        assert (batches.load_batch(sync.state, batch_id).submitted_seconds or 0) >= 3600


@JUMPS
def test_N08_a_removal_rests_for_a_day(world: World, jump: timedelta) -> None:
    """One that was tried in vain."""
    world.seed()
    world.run()
    world.state(
        """INSERT INTO contact_sync.removal
               (sync_id, email, email_hash, client_id, why, tries, tried_at)
           SELECT sync_id, 'gone@example.com', 99, 99, 'gone', 5, now() FROM contact_sync.sync"""
    )
    jump_back(world, jump)
    with world.sync() as sync:
        run = load_run(sync.state, start_run(sync, RunKind.INCREMENTAL, holder="next"))
        found: list[Any] = []
        for _ in range(2):
            with sync.state.transaction() as cursor:
                ids = (run.sync_id, run.run_id)
                found.append(removals.removable(cursor, ids, (RemovalReason.GONE,)))
            passes(world, DAY + timedelta(seconds=5))
    assert [len(rows) for rows in found] == [0, 1]


@JUMPS
def test_N08_another_account_is_noticed_whatever_the_clock_says(
    world: World, jump: timedelta
) -> None:
    """Contacts that were confirmed ahead of the clock are looked at."""
    world.seed()
    world.run()
    jump_back(world, jump)
    with world.sync() as sync, sync.state.transaction() as cursor:
        ((sync_id,),) = world.state("SELECT sync_id FROM contact_sync.sync")
        assert ledger.confirmed_sample(cursor, sync_id, at_most=100, older_than=600)


@pytest.mark.parametrize("jump", [-HOUR, timedelta(0), HOUR], ids=["ahead", "none", "back"])
def test_N08_F04_who_is_excluded_after_the_reading_is_not_sent_whatever_b2cores_clock_says(
    consenting: World, jump: timedelta
) -> None:
    """How long ago B2CORE was read is told by the state server's clock alone; if that jumps, B2CORE
    is looked at again."""
    client = consenting.add("ann@example.com")
    consenting.add("ben@example.com")
    with consenting.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="slow")
        for name, step in STEPS.items():
            if name == "submit":
                consenting.edit(client, last_name="opted out")
                consenting.state(
                    """UPDATE contact_sync.run SET snapshot = jsonb_set(snapshot, '{read_at}',
                           '"2099-01-01T00:00:00Z"')"""
                )
                passes(consenting, timedelta(minutes=6))
                jump_back(consenting, jump)
            step(sync, open_run(sync, run_id))
    assert set(consenting.contacts()) == {"ben@example.com"}


def test_N08_a_run_checks_its_setup_on_a_clock_that_went_back(world: World) -> None:
    """In the middle of a run: it comes to its end, and so does the next one."""
    world.seed()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="killed")
        check_setup(sync, open_run(sync, run_id))
        jump_back(world, DAY)
        check_setup(sync, open_run(sync, run_id))
    assert world.run(take_over=True)["state"] == "succeeded"
    world.assert_converged()

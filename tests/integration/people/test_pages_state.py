"""What the pages read from the state database: the right runs, few rows, and nothing is written."""

from __future__ import annotations

import pytest

from contact_sync.base.errors import RetryableError
from contact_sync.base.vocabulary import RunKind
from contact_sync.reporting.run_story import holder_of
from contact_sync.reporting.shown_run import SliceProgress
from contact_sync.run.release_lease import release_lease
from contact_sync.run.start_run import start_run
from contact_sync.state.database import StateDatabase
from contact_sync.state.for_people import jobs
from contact_sync.state.for_people import runs as shown_runs
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.rejected import Filter, page_of_clients
from contact_sync.state.for_people.syncs import sync_rows
from tests.support.world import World


def started(world: World, dag_run: str) -> int:
    """A run of this DAG run that has ended; returns its id."""
    with world.sync() as sync:
        holder = f"{holder_of('contact_sync_demo', dag_run)}2026-11-26"
        run_id = start_run(sync, RunKind.FULL, holder=holder)
        release_lease(sync, run_id, "ended by the test")
    return run_id


def test_a_dag_run_finds_its_own_runs_only(world: World) -> None:
    """All of them, newest first, when its first task was cleared; LIKE's signs are only letters."""
    first = started(world, "manual__1")
    started(world, "manual__10")
    started(world, "manualXX1")
    again = started(world, "manual__1")
    with reading(StateDatabase(world.state_url)) as cursor:
        holder = holder_of("contact_sync_demo", "manual__1")
        found = shown_runs.runs_of_holder(cursor, "demo", holder, 5)
        assert [run.id for run in found] == [again, first]
        assert (
            shown_runs.runs_of_holder(cursor, "demo", holder_of("contact_sync_demo", "%"), 5) == []
        )
        assert shown_runs.runs_of_holder(cursor, "other", holder, 5) == []
        assert shown_runs.run_of_id(cursor, "other", first) is None


def test_the_newest_runs_of_each_sync_are_read_and_no_more(world: World) -> None:
    """A sync that never ran has no row."""
    ids = [started(world, f"manual__{number}") for number in range(3)]
    with reading(StateDatabase(world.state_url)) as cursor:
        found = shown_runs.latest_runs(cursor, ["demo", "other"], 2)
        assert [run.id for run in found] == [ids[2], ids[1]]
        assert list(sync_rows(cursor, ["demo", "other"])) == ["demo"]


def test_a_page_can_not_write(world: World) -> None:
    """Whatever it is asked."""
    with (
        pytest.raises(RetryableError, match="it is read-only"),
        reading(StateDatabase(world.state_url)) as cursor,
    ):
        cursor.execute("DELETE FROM contact_sync.run")


def test_jobs_are_added_up_by_state(world: World) -> None:
    """And listed as far as the page has room."""
    world.seed()
    run_id = world.run()["id"]
    with reading(StateDatabase(world.state_url)) as cursor:
        (total,) = jobs.job_sums(cursor, [run_id])[run_id]
        assert (total.state, total.status, total.rows) == ("settled", "completed", 4)
        assert [job.rows for job in jobs.jobs_of_run(cursor, run_id, 1)] == [4]
        assert jobs.slice_progress(cursor, run_id) == SliceProgress(0, 0, 0, 0)
        (sync,) = sync_rows(cursor, ["demo"]).values()
        (rejected,) = page_of_clients(cursor, Filter(sync.sync_id), 9)
        assert (rejected.field, rejected.reason) == ("email", "invalid")

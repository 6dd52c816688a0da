"""Times that are equal, missing, repeated or cut; rows that come while others are read; and jobs
and uploads that are interrupted."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Any

import pytest

from contact_sync.base.errors import FatalError
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.context import open_run
from contact_sync.run.release_lease import end_run
from contact_sync.run.sending import submit
from contact_sync.run.sending.settle import settle_batch
from contact_sync.run.start_run import begin_run
from tests.support.steps import go_on, the_batch
from tests.support.world import World

FORKS = multiprocessing.get_context("forkserver")
BY_TIME = {"change_detection": "updated_at", "overlap_minutes": 1}
UPLOAD = "/imports/{job_id}"


def test_A02_many_rows_with_the_same_time(world: World) -> None:
    """More than a slice holds: each is read once, by the first load and by the next run."""
    world.redefine(source=BY_TIME, slice_clients=1000, csv_batch_contacts=1000)
    world.sql(
        """INSERT INTO b2core.clients (email, updated_at)
           SELECT 'client' || n || '@example.com', now() FROM generate_series(1, 2500) AS n"""
    )
    first = world.run()
    assert (first["counts"]["read"], first["books"]["confirmed"]) == (2500, 2500)
    world.sql("UPDATE b2core.clients SET last_name = 'Same', updated_at = clock_timestamp()")
    world.redefine(limits={"changes": {"contacts": 5000, "share": 1.0}})
    second = world.run()
    assert (second["kind"], second["counts"]["sent"]) == ("incremental", 2500)
    assert world.run()["counts"]["sent"] == 0


def test_A03_rows_that_come_and_go_while_others_are_read(world: World) -> None:
    """One snapshot: who was there at its start is read, exactly once, nobody else is."""
    ids = [world.add(f"client{n}@example.com") for n in range(3)]
    with world.sync() as sync, sync.b2core.snapshot() as snapshot:
        snapshot.position()  # the first statement takes the snapshot
        world.add("late@example.com")
        world.sql("DELETE FROM b2core.clients WHERE id = %s", ids[0])
        world.edit(ids[1], email="moved@example.com")
        found = [row for batch in snapshot.scan() for row in batch.to_pylist()]
    assert sorted(row["client_id"] for row in found) == ids
    assert "moved@example.com" not in {row["email"] for row in found}


@pytest.mark.own_connections
def test_A11_both_hours_at_the_end_of_summer_time(world: World) -> None:
    """02:30 happens twice; both edits are found from a watermark before, one from between."""
    world.redefine(source=BY_TIME)
    first, second = world.add("first@example.com"), world.add("second@example.com")
    world.sql("ALTER ROLE contact_sync_reader SET TimeZone = 'Europe/Zurich'")
    world.edit(first, updated_at=datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    world.edit(second, updated_at=datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    world.sql("UPDATE b2core.client_phones SET updated_at = '2020-01-01'")
    try:
        with world.sync() as sync, sync.b2core.snapshot() as snapshot:
            before = snapshot.changed_since(datetime(2026, 10, 25, 0, 15, tzinfo=UTC))
            between = snapshot.changed_since(datetime(2026, 10, 25, 1, 0, tzinfo=UTC))
    finally:
        world.sql("ALTER ROLE contact_sync_reader RESET TimeZone")
    assert (sorted(before), list(between)) == ([first, second], [second])


@pytest.mark.parametrize("updated_at", ["NULL", "clock_timestamp()"], ids=["A13", "A12"])
def test_A12_A13_no_time_and_microseconds(world: World, updated_at: str) -> None:
    """An edit is sent once, whatever its time is, and a second one in the same second too."""
    world.redefine(source=BY_TIME)
    client = world.add("ann@example.com")
    world.run()
    for name in ("Once", "Again"):
        world.sql(
            f"UPDATE b2core.clients SET first_name = %s, updated_at = {updated_at} WHERE id = %s",
            name, client,
        )  # fmt: skip
        assert world.run()["counts"]["sent"] == 1
        assert world.run()["counts"]["sent"] == 0
    world.assert_converged()


def load(world: World) -> None:
    """In a child process."""
    world.run()


def test_C03_killed_in_the_middle_of_an_upload(world: World) -> None:
    """The file never arrives as a whole, and its clients are sent again in another import."""
    world.redefine(lane="csv")
    world.seed()
    world.emulator.admin.fault("PUT", UPLOAD, delay=5, status=503)
    child = FORKS.Process(target=load, args=(world.portable(),))
    child.start()
    until = time.monotonic() + 30
    while world.state("SELECT 1 FROM contact_sync.batch WHERE state = 'uploading'") == []:
        assert time.monotonic() < until
        assert child.is_alive()
        time.sleep(0.05)
    child.kill()
    child.join(10)
    world.run(take_over=True)
    world.run()
    world.assert_converged()
    assert set(world.fates().values()) >= {"confirmed"}


@pytest.mark.parametrize("damage", ["cut", "changed"], ids=["C15 cut", "C12 changed"])
def test_C12_C15_a_damaged_file_confirms_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    """Its check sum tells: SendGrid fails the job, all clients are sent again."""
    rendered = submit._rendered

    @contextmanager
    def damaged(*args: Any) -> Iterator[tuple[IO[bytes], int]]:
        with rendered(*args) as (file, size):
            if damage == "cut":
                file.truncate(size - 12)
                yield file, size - 12
                return
            file.seek(size - 6)  # in the check sum of the content
            file.write(b"\0\1")
            yield file, size

    world.redefine(lane="csv")
    world.seed()
    monkeypatch.setattr(submit, "_rendered", damaged)
    with pytest.raises(FatalError, match="failed the import jobs"):
        world.run()
    assert "confirmed" not in world.fates().values()
    assert world.contacts() == {}
    monkeypatch.undo()
    world.run()
    world.assert_converged()


def test_D02_a_job_that_outlasts_the_run_is_followed_by_the_next(world: World) -> None:
    """Neither success nor failure: nobody is confirmed, and nothing is sent a second time."""
    world.seed()
    world.emulator.admin.settings(delay=2.0)
    with world.sync() as sync:
        run_id = begin_run(sync, RunKind.INCREMENTAL, holder="impatient")
        go_on(sync, run_id, before="settle")
        assert not settle_batch(sync, open_run(sync, run_id), the_batch(sync))
        end_run(sync, run_id, "not waited for any longer")
    assert "confirmed" not in world.fates().values()
    written = world.writes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("contact_sync.run.settle_earlier_runs.POLL_SECONDS", 1.0)
        assert world.run()["counts"]["sent"] == 0
    assert world.writes() == written
    world.assert_converged()


def test_F10_a_contact_deleted_by_hand_comes_back_with_a_resend(world: World) -> None:
    """The ledger says that SendGrid has it; only `resend` doesn't ask the ledger."""
    world.seed()
    world.run()
    contact = world.contacts()["client1@example.com"]["id"]
    world.delete_at_sendgrid(f"contacts?ids={contact}")
    until = time.monotonic() + 10
    while "client1@example.com" in world.contacts():
        assert time.monotonic() < until
        time.sleep(0.05)
    assert world.run("full")["counts"]["sent"] == 0
    world.run("resend")
    world.assert_converged()

"""Clients that go, come back, move on, or change while a run reads: no ghost, no lost client."""

from __future__ import annotations

import time
from typing import Any

import pytest

from contact_sync.base.vocabulary import RunKind
from contact_sync.run import in_one_process
from contact_sync.run.check_setup import check_setup
from contact_sync.run.context import open_run
from contact_sync.run.finish_run import finish_run
from contact_sync.run.plan_batches import plan_batches
from contact_sync.run.select_clients import select_clients
from contact_sync.run.sending import prepare
from contact_sync.run.sending.poll_job import settle_batch
from contact_sync.run.sending.submit import submit_batch
from contact_sync.run.settle_earlier_runs import settle_earlier_runs
from contact_sync.run.stage_clients import stage_clients
from contact_sync.run.start_run import start_run
from tests.support.world import World

LANES = pytest.mark.parametrize("lane", ["json", "csv"])


def run_with_an_edit_while_it_reads(world: World, statement: str) -> dict[str, int]:
    """A run that sends one batch, with the edit between choosing clients and reading them."""
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="slow reader")
        settle_earlier_runs(sync, open_run(sync, run_id))
        check_setup(sync, open_run(sync, run_id))
        select_clients(sync, open_run(sync, run_id))
        world.sql(statement)
        stage_clients(sync, open_run(sync, run_id), 0)
        for batch_id in plan_batches(sync, open_run(sync, run_id)):
            submit_batch(sync, open_run(sync, run_id), batch_id)
            while not settle_batch(sync, open_run(sync, run_id), batch_id):
                time.sleep(0.02)
        finish_run(sync, open_run(sync, run_id))
    return dict(world.report()["books"])


@pytest.mark.parametrize(
    ("statement", "pending"),
    [
        ("UPDATE b2core.clients SET first_name = 'Ana' WHERE id = 1", 0),
        ("UPDATE b2core.clients SET email = 'moved@example.com' WHERE id = 1", 1),
        ("UPDATE b2core.clients SET email = 'client2@example.com' WHERE id = 1", 1),
        ("UPDATE b2core.clients SET email = NULL WHERE id = 1", 1),
        ("DELETE FROM b2core.clients WHERE id = 1", 1),
        ("DELETE FROM b2core.client_phones WHERE client_id = 1", 0),
        ("INSERT INTO b2core.clients (email) VALUES ('new@example.com')", 0),
    ],
    ids=["name", "e-mail", "another one's", "no e-mail", "deleted", "no phone", "newcomer"],
)
def test_A14_a_client_that_changes_while_a_run_reads(
    world: World, statement: str, pending: int
) -> None:
    """The books balance, and the next run brings what was written meanwhile."""
    world.seed()
    books = run_with_an_edit_while_it_reads(world, statement)
    assert (books["selected"], books["pending"]) == (6, pending)
    world.run()
    world.assert_converged()
    assert world.run()["counts"]["sent"] == 0


def test_A08_a_return_that_a_held_run_saw_counts(world: World) -> None:
    """Absent, present while too many others were absent, absent again: that is one look."""
    world.redefine(limits={"removals": {"contacts": 1, "share": 0.0}})
    ann, *others = [world.add(f"client{n}@example.com") for n in range(4)]
    world.run()
    world.sql("DELETE FROM b2core.clients WHERE id = %s", ann)
    world.run()
    world.add("client0@example.com", id=ann)
    world.sql("CREATE TABLE b2core.lost AS SELECT * FROM b2core.clients WHERE id <> %s", ann)
    world.sql("DELETE FROM b2core.clients WHERE id = ANY(%s)", others)
    assert any("clients are absent from B2CORE" in what for what in world.run()["degraded"])
    world.sql("INSERT INTO b2core.clients SELECT * FROM b2core.lost")
    world.sql("DROP TABLE b2core.lost")
    world.sql("DELETE FROM b2core.clients WHERE id = %s", ann)
    report = world.run()
    assert (report["books"]["gone"], report["counts"]["unlisted"]) == (1, 0)


@pytest.mark.parametrize("first_name", ["Ann", "Ana"], ids=["as it was", "changed"])
@pytest.mark.parametrize("kind", ["incremental", "full"])
def test_A08_a_deleted_client_comes_back(world: World, kind: str, first_name: str) -> None:
    """Counted as gone while it is away; afterwards the books know it again, and send if needed."""
    ann = world.add("ann@example.com", first_name="Ann")
    world.add("bob@example.com")
    world.run()
    world.sql("DELETE FROM b2core.clients WHERE id = %s", ann)
    away = world.run(kind)["books"]
    assert (away["selected"], away["confirmed"], away["gone"]) == (1, 2, 1)
    world.add("ann@example.com", id=ann, first_name=first_name)
    report = world.run(kind)
    assert (report["books"]["selected"], report["books"]["gone"]) == (2, 0)
    assert report["counts"]["sent"] == (first_name != "Ann")
    world.assert_converged()


@LANES
def test_A08_a_newcomer_with_a_deleted_clients_address_inherits_nothing(
    world: World, lane: str
) -> None:
    """A person who registers again: values of the deleted account are cleared."""
    world.redefine(lane=lane)
    old = world.add("ann@example.com", phone="+41790000001", jurisdiction_id=1)
    world.run()
    world.sql("DELETE FROM b2core.clients WHERE id = %s", old)
    world.run()
    world.add("ann@example.com", first_name="Again")
    world.run()
    assert "phone_number" not in world.contact("ann@example.com")
    world.assert_converged()


@pytest.mark.parametrize(
    ("then", "lane"),
    [("third@example.com", "json"), ("first@example.com", "csv"), ("second@example.com", "json")],
)
@pytest.mark.parametrize("known", [True, False], ids=["known", "new"])
def test_B01_an_address_of_unknown_fate_leaves_no_ghost(
    world: World, lane: str, then: str, known: bool
) -> None:
    """Nobody knows whether the second address was created; wherever the client goes from there."""
    world.redefine(lane=lane)
    client = world.add("first@example.com", phone="+41790000001")
    if known:
        world.run()
    world.edit(client, email="second@example.com")
    world.forget_a_job()
    assert world.run()["books"]["pending"] == 1
    world.edit(client, email=then)
    world.run()
    assert set(world.contacts()) == {then}
    world.assert_converged()
    assert world.run()["counts"]["sent"] == 0


@LANES
def test_B01_there_and_back_again(world: World, lane: str) -> None:
    """A client returns to its former address after that contact was removed: all its values."""
    world.redefine(lane=lane)
    client = world.add("ann@example.com", phone="+41790000001", address={"city": "Bern"})
    for email in ("moved@example.com", "ann@example.com"):
        world.run()
        world.edit(client, email=email)
    world.run()
    assert world.contact("ann@example.com")["city"] == "Bern"
    world.assert_converged()


@LANES
@pytest.mark.parametrize("gap", ["not an address", None])
def test_B01_an_address_mended_in_two_steps_leaves_one_contact(
    world: World, lane: str, gap: str | None
) -> None:
    """While it is invalid the client has none, and then the new one."""
    world.redefine(lane=lane)
    client = world.add("ann@example.com", phone="+41790000001")
    world.run()
    world.edit(client, email=gap)
    assert world.run()["books"]["rejected"] == 1
    assert world.contacts() == {}
    world.edit(client, email="fixed@example.com")
    world.run()
    assert set(world.contacts()) == {"fixed@example.com"}
    world.assert_converged()


def test_B01_a_failed_deletion_is_repeated(world: World) -> None:
    """The old contact is not forgotten when SendGrid doesn't remove it at the first try."""
    world.redefine(deadlines={"job_hours": 0.0002, "quarantine_minutes": 0})
    client = world.add("ann@example.com")
    world.run()
    world.edit(client, email="moved@example.com")
    world.emulator.admin.job_fault("never_starts", job="delete")
    world.run()
    assert set(world.contacts()) == {"ann@example.com", "moved@example.com"}
    world.run()
    world.assert_converged()


def test_B01_a_newcomer_with_a_gone_clients_address_leaves_no_ghost(world: World) -> None:
    """B01: a deleted client's address is the newcomer's, and goes when that one moves."""
    old = world.add("ann@example.com", phone="+41790000001")
    world.run()
    world.sql("DELETE FROM b2core.clients WHERE id = %s", old)
    new = world.add("ann@example.com", first_name="Again")
    world.run()
    world.assert_converged()
    world.edit(new, email="moved@example.com")
    world.run()
    world.assert_converged()
    assert set(world.contacts()) == {"moved@example.com"}


def test_F04_who_was_excluded_deleted_or_moved_since_the_reading_is_not_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source is looked at again before the first byte; the others are sent."""
    monkeypatch.setattr(prepare, "MAX_AGE_SECONDS", -1e9)
    world.add_clients(4)

    def meanwhile(*args: Any) -> list[int]:
        planned = plan_batches(*args)
        world.sql("DELETE FROM b2core.clients WHERE id = 1")
        world.edit(2, email="moved@example.com")
        return planned

    monkeypatch.setattr(in_one_process, "plan_batches", meanwhile)
    world.run()
    assert set(world.contacts()) == {"client3@example.com", "client4@example.com"}
    assert world.fates()[2] == "pending: changed_since_read"
    monkeypatch.undo()
    world.run()
    assert "moved@example.com" in world.contacts()

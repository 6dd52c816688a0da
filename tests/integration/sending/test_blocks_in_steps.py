"""Blocks of staged contacts between the steps of a run: seen, staged again, erased, rehashed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from contact_sync.base.vocabulary import RunKind
from contact_sync.contacts.hash_keys import HashKey, HashKeys
from contact_sync.run.context import open_run
from contact_sync.run.plan_batches import plan_batches
from contact_sync.run.release_lease import release_lease
from contact_sync.run.stage_clients import stage_clients
from contact_sync.run.start_run import start_run
from contact_sync.run.unpacking import unpack_run
from contact_sync.state import outbox_blocks, purging
from contact_sync.state.for_people import changes, client
from contact_sync.state.purging import Person
from contact_sync.state.suppressed import address_hashes
from tests.support.blocks import EMAILS, after_the_plan, by_csv, planned
from tests.support.erased import ask, traces
from tests.support.hash_keys import HASH_KEYS
from tests.support.steps import go_on, staged, the_batch
from tests.support.world import World


def test_a_contact_that_goes_by_json_is_in_no_block(world: World) -> None:
    """A negative number, which a CSV file may lose: it goes beside the block of the others."""
    by_csv(world)
    world.emulator.admin.create_field("Balance", "Number")
    fields = world.definition.model_dump(mode="json")["fields"]
    world.redefine(fields={**fields, "Balance": "postal_code"})
    world.sql("UPDATE b2core.client_addresses SET postal_code = CASE client_id WHEN 2 THEN -7 "
               "ELSE client_id END")  # fmt: skip
    seen = list[tuple[int, int]]()
    with after_the_plan(lambda: seen.append(staged(world))):
        report = world.run()
    assert seen == [(3, 1)]
    assert [(job["lane"], job["rows"]) for job in report["jobs"]] == [("csv", 3), ("json", 1)]
    held = {email: c["custom_fields"]["Balance"] for email, c in world.contacts().items()}
    assert held == dict(zip(EMAILS, (1, -7, 4, 5), strict=True))


def test_a_plan_that_is_repeated_leaves_what_is_being_sent(world: World) -> None:
    """By a cleared task or a zombie, when the account isn't empty any more."""
    by_csv(world)
    with world.sync() as sync:
        run_id = planned(world, sync)
        go_on(sync, run_id, before="settle", after="exclude")
        assert plan_batches(sync, open_run(sync, run_id)) == [the_batch(sync)]
        unpack_run(sync, open_run(sync, run_id))
        assert staged(world) == (4, 0)
        go_on(sync, run_id, before="remove", after="submit")
    world.assert_converged()


def test_a_slice_that_is_staged_again_is_staged_once(world: World) -> None:
    """Another try stages it while blocks are made rows of: it waits, and deletes these."""
    by_csv(world)
    with world.sync() as sync, ThreadPoolExecutor(1) as pool:
        run_id = planned(world, sync)
        with sync.state.transaction() as cursor:
            outbox_blocks.unpack_run(cursor, run_id)
            again = pool.submit(stage_clients, sync, open_run(sync, run_id), 0)
            with pytest.raises(TimeoutError):
                again.result(0.5)
        assert again.result(30).counts["new"] == 4
    assert staged(world) == (4, 0)


def test_the_planner_is_told_of_what_was_made_rows_of(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the same transaction: else it takes the outbox for empty, and settling is quadratic."""
    monkeypatch.setattr(outbox_blocks, "MANY", 3)
    by_csv(world)
    told = "SELECT count(*) AS n FROM pg_stats WHERE tablename = 'outbox'"
    with world.sync() as sync:
        run_id = planned(world, sync)
        with sync.state.transaction() as cursor:
            outbox_blocks.unpack_run(cursor, run_id)
            assert cursor.execute(told).fetchall()[0]["n"] >= 3


def test_a_new_key_reaches_what_is_staged_in_blocks(world: World) -> None:
    """The file of a run that died is at SendGrid: its contacts are known by the new hashes."""
    by_csv(world)
    with world.sync() as sync:
        run_id = planned(world, sync)
        go_on(sync, run_id, before="settle", after="exclude")
        release_lease(sync, run_id, "the task was stopped")
    other = HashKey("canary-hash-key-of-somebody-else-0123")
    world.hash_keys = HashKeys(other, (HASH_KEYS.current,))
    assert world.run()["counts"]["sent"] == 0
    assert staged(world) == (0, 0)
    world.assert_converged()


def test_a_batch_may_have_rows_beside_blocks(world: World) -> None:
    """What an earlier version of this code has staged of a run, which goes on with this one."""
    by_csv(world)
    world.redefine(slice_clients=3)
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        go_on(sync, run_id, before="plan")
        unpack_run(sync, open_run(sync, run_id))
        stage_clients(sync, open_run(sync, run_id), 1)
        go_on(sync, run_id, before="exclude", after="stage")
        assert staged(world) == (2, 2)
        go_on(sync, run_id, before="finish", after="plan")
    assert world.state("SELECT lane, contacts FROM contact_sync.batch") == [("csv", 4)]
    assert staged(world) == (0, 0)
    world.assert_converged()


def test_people_see_what_is_staged_in_blocks(world: World) -> None:
    """A client waits in its batch, and its values are shown while they are staged."""
    by_csv(world)
    with world.sync() as sync:
        run_id = planned(world, sync)
        with sync.state.transaction() as cursor:
            (waiting,) = client.staged(cursor, 1, 2)
            assert (waiting.run_id, waiting.state) == (run_id, "staged")
            assert client.staged(cursor, 1, 6) == []
            found = changes.staged(cursor, run_id, [2, 5, 6, 77])
    assert {one: row.email for one, row in found.items()} == {2: EMAILS[1], 5: EMAILS[3]}
    assert "Zoë 2" in found[2].payload


def test_who_is_erased_leaves_a_block_before_it_is_sent(world: World) -> None:
    """Asked for between plan and sending; the others of the block are sent."""
    by_csv(world)
    with world.sync() as sync:
        run_id = planned(world, sync)
        assert traces(world, EMAILS[1]) == [f"outbox_block: {EMAILS[1]}"]
        ask(world, client="2")
        go_on(sync, run_id, before="finish", after="exclude")
    assert EMAILS[1] not in world.sent()
    assert sorted(world.contacts()) == [EMAILS[0], *EMAILS[2:]]


@pytest.mark.parametrize("known_by", ["client", "address"])
def test_an_erasure_purges_blocks(world: World, known_by: str) -> None:
    """Not a byte of the person stays in one, and everything of the others does."""
    by_csv(world)
    with world.sync() as sync:
        planned(world, sync)
        hashes = dict(zip([EMAILS[1]], address_hashes([EMAILS[1]], sync.hashing()), strict=True))
        person = Person(1, (2,)) if known_by == "client" else Person(1, (), hashes)
        with sync.state.transaction() as cursor:
            assert purging.addresses_of_clients(cursor, Person(1, (2,))) == [EMAILS[1]]
            purging.purge(cursor, person)
    assert traces(world, EMAILS[1], "Zoë 2") == []
    assert staged(world) == (0, 3)

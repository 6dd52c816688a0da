"""O04 and O05 within one run: a first try that lives on beside the second, tasks that are cleared
alone. All of them have the run's own epoch, so that no fence tells them apart.
"""

from __future__ import annotations

import pytest

from contact_sync.base.errors import FatalError, FateUnknown, Fenced, RequestRefused, RetryableError
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.context import open_run
from contact_sync.run.release_lease import release_lease
from contact_sync.run.sending.submit import submit_batch
from contact_sync.run.start_run import start_run
from contact_sync.state import batch_moves, batches
from contact_sync.sync import Sync
from tests.support.steps import STEPS, go_on, the_batch
from tests.support.world import World

FOUND = "SELECT state, job_id, fate_unknown_at IS NOT NULL FROM contact_sync.batch"


def begin_sending(world: World, sync: Sync, kind: RunKind = RunKind.FULL) -> tuple[int, int]:
    """A run of one client up to its sending; returns its id and that of its batch."""
    world.add("ann@example.com")
    run_id = start_run(sync, kind, holder="test")
    go_on(sync, run_id, before="submit")
    return run_id, the_batch(sync)


def test_O04_of_two_tries_of_one_upload_one_stops(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second try found the import of the first and makes its own; the first begins to upload
    meanwhile: its import stays the batch's, and nothing is uploaded twice."""
    world.redefine(lane="csv")
    with world.sync() as first, world.sync() as second:
        run_id, batch_id = begin_sending(world, first)
        run, batch = open_run(first, run_id), batches.load_batch(first.state, batch_id)
        target = first.sendgrid.create_import(["_rf2_T"], None)
        with first.state.transaction() as cursor:
            batch_moves.created(cursor, run, batch, target.job_id, None)
        create = second.sendgrid.create_import

        def meanwhile(*arguments: object) -> object:
            with first.state.transaction() as cursor:
                batch_moves.uploading(cursor, run, batch, target.job_id)
            return create(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(second.sendgrid, "create_import", meanwhile)
        with pytest.raises(Fenced, match="moved by another process"):
            submit_batch(second, open_run(second, run_id), batch_id)
    assert world.state(FOUND) == [("uploading", target.job_id, True)]
    assert world.emulator.admin.uploads() == []


def test_O04_a_refusal_of_one_try_leaves_the_doubt_of_the_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first try announces its call and gets 429; the second sends meanwhile and learns no
    answer. The batch stays in doubt, so that nothing newer overtakes what may be queued."""
    with world.sync() as first, world.sync() as second:
        run_id, batch_id = begin_sending(world, first)
        send = second.sendgrid.upsert_contacts

        def unanswered(body: bytes) -> str:
            send(body)
            raise FateUnknown("no answer, but it is queued")

        def refused(_: bytes) -> str:
            with pytest.raises(FateUnknown):
                submit_batch(second, open_run(second, run_id), batch_id)
            raise RetryableError("429")

        monkeypatch.setattr(second.sendgrid, "upsert_contacts", unanswered)
        monkeypatch.setattr(first.sendgrid, "upsert_contacts", refused)
        with pytest.raises(RetryableError):
            submit_batch(first, open_run(first, run_id), batch_id)
    assert world.state(FOUND) == [("submitting", None, True)]


def test_O04_an_answer_to_one_try_leaves_the_doubt_of_the_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As before, but the first try is accepted: its job is followed, the doubt stays
    for the quarantine."""
    with world.sync() as first, world.sync() as second:
        run_id, batch_id = begin_sending(world, first)
        send = first.sendgrid.upsert_contacts

        def unanswered(_: bytes) -> str:
            raise FateUnknown("no answer")

        def overtaken(body: bytes) -> str:
            with pytest.raises(FateUnknown):
                submit_batch(second, open_run(second, run_id), batch_id)
            return send(body)

        monkeypatch.setattr(second.sendgrid, "upsert_contacts", unanswered)
        monkeypatch.setattr(first.sendgrid, "upsert_contacts", overtaken)
        submit_batch(first, open_run(first, run_id), batch_id)
    ((state, job_id, in_doubt),) = world.state(FOUND)
    assert (state, in_doubt) == ("submitted", True)
    assert job_id in {job["id"] for job in world.emulator.admin.jobs()}


@pytest.mark.parametrize("field", ["", "first_name"])
def test_O04_a_refusal_is_about_what_the_try_has_sent(
    world: World, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    """Two contacts are refused and none is named. Meanwhile the second try takes out the one that
    its answer names, and learns nothing about the other. Nobody refused that one alone: it is sent
    by itself."""
    bob = "bob@example.com"
    world.add(bob)
    world.emulator.admin.settings(refused_contacts={bob: "email '{email}' is not valid"})
    with world.sync() as first, world.sync() as second:
        run_id, batch_id = begin_sending(world, first)
        send = second.sendgrid.upsert_contacts

        def named_then_unanswered(body: bytes) -> str:
            if bob.encode() in body:
                return send(body)
            raise FateUnknown("no answer")

        def refused(body: bytes) -> str:
            assert bob.encode() in body
            with pytest.raises(FateUnknown):
                submit_batch(second, open_run(second, run_id), batch_id)
            raise RequestRefused(
                "400", status=400, is_json=True,
                errors=[{"field": field, "message": "not valid"}],
            )  # fmt: skip

        monkeypatch.setattr(second.sendgrid, "upsert_contacts", named_then_unanswered)
        monkeypatch.setattr(first.sendgrid, "upsert_contacts", refused)
        submit_batch(first, open_run(first, run_id), batch_id)
        outcomes = "SELECT outcome FROM contact_sync.batch ORDER BY batch_id"
        assert world.state(outcomes) == [("split",), (None,)]
        monkeypatch.undo()
        for step in ("submit", "settle", "remove", "finish"):
            STEPS[step](first, open_run(first, run_id))
    assert [fate.split(":")[0] for fate in world.fates().values()] == ["rejected", "confirmed"]


@pytest.mark.parametrize("step", ["select", "stage"])
def test_O05_a_run_that_is_read_again_after_its_plan_sends_nothing(world: World, step: str) -> None:
    """`select_clients` or `stage_clients` cleared alone: without a new plan, no later task does
    anything, the watermark stays, and the next run sends what changed."""
    client = world.add("ann@example.com", first_name="Old")
    other = world.add("bob@example.com")
    world.run()
    mark = world.state("SELECT watermark FROM contact_sync.sync")
    world.edit(client, first_name="New")
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="test")
        go_on(sync, run_id, before="exclude")
        batch_id = the_batch(sync)
        world.edit(other, first_name="Later")
        STEPS[step](sync, open_run(sync, run_id))
        for later in ("exclude", "remove", "finish"):
            with pytest.raises(FatalError, match="no plan"):
                STEPS[later](sync, open_run(sync, run_id))
        with pytest.raises(FatalError, match=f"Batch {batch_id} is gone"):
            submit_batch(sync, open_run(sync, run_id), batch_id)
        release_lease(sync, run_id, "gave up")
    assert world.state("SELECT watermark FROM contact_sync.sync") == mark
    world.run()
    world.assert_converged()

"""What a run stores of its waits, for whoever looks at its page."""

from __future__ import annotations

import pytest

from contact_sync.base.vocabulary import RunKind
from contact_sync.run.context import open_run
from contact_sync.run.send_batch import send_batch
from contact_sync.run.start_run import start_run
from contact_sync.sendgrid import retries
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.waits import state_side
from tests.support.steps import go_on, the_batch
from tests.support.world import World


def test_O12_a_call_that_waits_and_a_job_that_is_not_over_are_noted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason and the moment; the run itself doesn't depend on either."""
    monkeypatch.setattr(retries, "SHORT_SECONDS", 0.0)
    world.seed()
    world.emulator.admin.settings(delay=3600)
    route = "/v3/marketing/contacts"
    world.emulator.admin.fault("PUT", route, status=429, headers={"Retry-After": "0"})
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="the test")
        go_on(sync, run_id, before="submit")
        job_id = send_batch(sync, open_run(sync, run_id), the_batch(sync))
        with reading(sync.state) as cursor:
            found = state_side(cursor, "demo", run_id)
    assert found is not None
    assert str(found.waits_why).startswith(f"PUT {route}: rate limit reached")
    assert found.waits_until is not None
    assert not found.is_settling
    ((stored, status, is_asked),) = world.state(
        "SELECT job_id, job_status, asked_at IS NOT NULL FROM contact_sync.batch"
    )
    assert (stored, status, is_asked) == (job_id, "pending", True)

"""O: jobs that are slow and whose calls have an unknown fate. Time passes on demand."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from contact_sync.base.errors import Stopped
from contact_sync.run import in_one_process
from contact_sync.sendgrid.api import SendGridApi
from tests.support.databases import make_batches_older
from tests.support.world import World

DEADLINES = {"job_hours": 24, "quarantine_minutes": 30}
SLOW = 1200.0  # seconds: less than the quarantine, more than any run of a test


def an_hour_passes(world: World) -> None:
    """At SendGrid, where jobs that are not stuck end, and in the state database."""
    world.emulator.admin.advance(3600)
    while any(job["status"] == "pending" for job in world.emulator.admin.jobs()):
        time.sleep(0.02)
    make_batches_older(world.state_url, 3600)


def run_with_long_waits(world: World) -> None:
    """A run in which an hour passes whenever it waits for what earlier runs left open."""

    def wait(seconds: float) -> None:
        if seconds < 1:  # until it looks at a job of its own again
            time.sleep(seconds)
        else:
            an_hour_passes(world)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_one_process, "time", SimpleNamespace(sleep=wait))
        world.run()


def test_O01_a_first_try_of_unknown_fate_cannot_overwrite_newer_values(world: World) -> None:
    """Nothing newer is sent before it can't take effect any more: the last value stays."""
    world.redefine(deadlines=DEADLINES)
    client = world.add("ann@example.com", first_name="Old")
    world.emulator.admin.fault("PUT", "/v3/marketing/contacts", status=503, when="after")
    world.emulator.admin.job_fault("slow", seconds=SLOW)
    world.run()
    world.edit(client, first_name="New")
    run_with_long_waits(world)
    an_hour_passes(world)
    assert world.contact("ann@example.com")["first_name"] == "New"


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_O01_C02_a_run_that_is_stopped_while_it_sends_cannot_overwrite_newer_values(
    world: World, lane: str
) -> None:
    """What leaves was stored before, so the next run waits for it, whatever became of the first."""
    world.redefine(lane=lane, deadlines=DEADLINES)
    client = world.add("ann@example.com", first_name="Old")
    world.emulator.admin.job_fault("slow", seconds=SLOW)
    name = "upsert_contacts" if lane == "json" else "upload"
    send = getattr(SendGridApi, name)

    def stopped(*args: Any) -> None:
        send(*args)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SendGridApi, name, stopped)
        with pytest.raises(Stopped):
            world.run()
    world.edit(client, first_name="New")
    run_with_long_waits(world)
    an_hour_passes(world)
    assert world.contact("ann@example.com")["first_name"] == "New"


def test_D12_a_forgotten_job_may_still_take_effect(world: World) -> None:
    """SendGrid doesn't know a job yet, or any more, that is only slow: nothing newer is sent until
    it can't overwrite that any more."""
    world.redefine(deadlines=DEADLINES)
    client = world.add("ann@example.com", first_name="Old")
    world.run()
    world.edit(client, first_name="Middle")
    world.emulator.admin.job_fault("slow", job="json", seconds=SLOW)
    world.forget_a_job()
    assert world.run()["books"]["pending"] == 1
    world.edit(client, first_name="New")
    run_with_long_waits(world)
    an_hour_passes(world)
    assert world.contact("ann@example.com")["first_name"] == "New"
    assert world.run()["counts"]["sent"] == 0

"""Triggers wait; what they see is decided by the operator alone."""

from __future__ import annotations

import asyncio
import pkgutil
import time
from typing import Any

import pytest

from contact_sync.airflow_edge import triggers
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.context import open_run
from contact_sync.run.start_run import start_run
from tests.support.steps import everything, go_on, settle
from tests.support.world import World


async def fired(trigger: triggers.JobTrigger) -> list[dict[str, int]]:
    """The payloads of a trigger's events."""
    return [event.payload async for event in trigger.run()]


def test_D13_a_trigger_that_runs_twice_writes_nothing(connected: World) -> None:
    """Both copies fire with what they were given, and perhaps that the job is over; the state
    stays, and the operator's step settles once."""
    connected.seed()
    with connected.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="test")
        go_on(sync, run_id, before="settle")
        time.sleep(0.2)  # the job is over
        [(job_id,)] = connected.state("SELECT job_id FROM contact_sync.batch")
        before = everything(connected)
        copies = [triggers.JobTrigger("sendgrid_default", job_id, 0.1, {"n": 1}) for _ in "ab"]

        async def both() -> list[list[dict[str, int]]]:
            return list(await asyncio.gather(*map(fired, copies)))

        given = [[payload["n"] for payload in copy] for copy in asyncio.run(both())]
        assert given == [[1], [1]]
        assert everything(connected) == before
        settle(sync, open_run(sync, run_id))
    assert "confirmed" in connected.fates().values()


STORED: dict[str, dict[str, Any]] = {
    "contact_sync.airflow_edge.triggers.JobTrigger": {
        "sendgrid_conn_id": "sendgrid_default", "job_id": "j", "seconds": 300.0,
        "payload": {"run_id": 1, "batch_id": 2},
    },
    "contact_sync.airflow_edge.triggers.ExportTrigger": {
        "sendgrid_conn_id": "sendgrid_default", "export_ids": ["e"], "seconds": 600.0,
        "payload": {"verification_id": 1},
    },
    "contact_sync.airflow_edge.changes_trigger.ChangesTrigger": {"sync_name": "demo"},
    "contact_sync.airflow_edge.triggers.WaitTrigger": {"seconds": 60.0, "payload": {"run_id": 1}},
}  # fmt: skip


@pytest.mark.parametrize("path", STORED)
def test_P14_what_airflow_stored_of_a_waiting_task_is_still_understood(path: str) -> None:
    """A task that is deferred during an upgrade: its trigger's path and arguments are in Airflow's
    database, as version 1.0.0 wrote them."""
    trigger = pkgutil.resolve_name(path)(**STORED[path])
    assert trigger.serialize() == (path, STORED[path])


def test_the_first_look_comes_when_jobs_of_the_account_are_usually_over() -> None:
    """Also after the trigger has been stored and made again."""
    trigger = triggers.JobTrigger("sendgrid_default", "j", 300.0, {"n": 1}, first=40.0)
    _, arguments = trigger.serialize()
    assert triggers.JobTrigger(**arguments).first == 40.0

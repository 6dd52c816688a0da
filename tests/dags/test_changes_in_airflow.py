"""`schedule: changes` with the real scheduler and triggerer: a change in B2CORE begins a run."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg
import pytest
import yaml

from local.airflow_stack.parts import AIRFLOW, SERVERS
from local.b2core_demo import READER
from local.demo.sync import DAG_ID, SYNC
from local.stack import system
from local.stack.system import Stack
from tests.support.airflow_home import ROOT
from tests.support.monitored import WATCHED
from tests.support.receivers import arrived
from tests.support.stacks import wrong_contacts

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600), pytest.mark.xdist_group("airflow")]

CLIENTS = 200
PLAIN = "SELECT id FROM b2core.clients WHERE email ~ '^[a-z.]+[0-9]+@[a-z.]+$' ORDER BY id LIMIT %s"
CHANGED = "UPDATE b2core.clients SET last_name = %s WHERE id = ANY(%s)"
END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s"


def test_W01_what_is_written_into_b2core_begins_a_run(stack: Stack) -> None:
    """Also what is rolled back, which changes nothing; the event names the tables, and no value."""
    api, before = stack.airflow.api, len(stack.airflow.api.run_ids(WATCHED))
    with psycopg.connect(stack.databases.b2core_url) as connection:
        connection.execute("UPDATE b2core.clients SET last_name = 'Canary'")
        connection.rollback()
    arrived(lambda: api.runs(WATCHED)[before:] or None, seconds=60)
    run = f"/api/v2/dags/{WATCHED}/dagRuns/{quote(api.run_ids(WATCHED)[0])}"
    (event,) = api.send("GET", f"{run}/upstreamAssetEvents")["asset_events"]
    assert event["extra"]["payload"] == {"sync": SYNC, "tables": ["b2core.clients"]}


@pytest.fixture
def begun_by_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A system whose sync runs with changes, and by the clock once an hour; its triggerer may end.

    The first load is done.
    """
    parts = [replace(part, may_end=part.name == "triggerer") for part in SERVERS]
    monkeypatch.setattr(system, "SERVERS", parts)
    for part in ("dags", "plugins", "include"):
        shutil.copytree(ROOT / part, tmp_path / part)
    path = tmp_path / "include" / "syncs" / "demo.yaml"
    definition = yaml.safe_load(path.read_text(encoding="utf-8"))
    definition |= {
        "schedule": "changes",
        "on_changes": {"at_least_every_minutes": 60, "at_most_every_seconds": 2},
    }
    path.write_text(yaml.safe_dump(definition), encoding="utf-8")
    with Stack.start(clients=CLIENTS, say=print, name="changes", deployment=tmp_path) as running:
        running.emulator.admin.settings(delay=0, finish_delay=0)
        running.wait_for_dag(DAG_ID)
        running.unpause(DAG_ID)
        arrived(lambda: watch(running)["state"] == "counts" or None, seconds=400)
        settled(running)
        yield running


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_W01_W02_changes_begin_runs_whatever_was_away_meanwhile(begun_by_changes: Stack) -> None:
    """A change; many, for which few runs suffice; some while no triggerer was there, and while
    B2CORE couldn't be reached. The clock would begin a run in an hour."""
    stack = begun_by_changes
    change(stack, 1, "Begun")
    settled(stack)
    before = len(stack.airflow.api.run_ids(DAG_ID))
    for number in range(30):
        change(stack, 30, f"Many {number}")
    settled(stack)
    assert 1 <= len(stack.airflow.api.run_ids(DAG_ID)) - before <= 3

    psutil.Process(stack.airflow.processes.pid("triggerer")).terminate()
    change(stack, 5, "Alone")
    with triggerer(stack):
        settled(stack)
        as_owner(stack, f"ALTER ROLE {READER} NOLOGIN")
        as_owner(stack, END_SESSIONS, READER)
        arrived(lambda: watch(stack)["state"] == "failed" or None, seconds=60)
        change(stack, 5, "Away")
        as_owner(stack, f"ALTER ROLE {READER} LOGIN")
        settled(stack)
    assert watch(stack)["tables"] == ["b2core.clients"]


def change(stack: Stack, count: int, name: str) -> None:
    """Give some clients another name."""
    with psycopg.connect(stack.databases.b2core_url) as connection:
        ids = [row[0] for row in connection.execute(PLAIN, (count,))]
        connection.execute(CHANGED, (name, ids))


def settled(stack: Stack) -> None:
    """Wait until every contact is right and no run is at work."""
    arrived(lambda: is_settled(stack) or None, seconds=400)


def is_settled(stack: Stack) -> bool:
    """Whether it is so now."""
    stack.airflow.processes.check()
    ended = all(run["state"] == "success" for run in stack.airflow.api.runs(DAG_ID))
    return ended and wrong_contacts(stack, CLIENTS) == []


def watch(stack: Stack) -> dict[str, Any]:
    """What the watch has written down."""
    return stack.status(SYNC)["watch"] or {"state": None}


def as_owner(stack: Stack, statement: str, *values: Any) -> None:
    """A statement as the server's superuser."""
    url = stack.databases.cluster.url("postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement, values)


@contextmanager
def triggerer(stack: Stack) -> Iterator[None]:
    """Another triggerer, as a supervisor starts one."""
    log = stack.airflow.processes.logs / "triggerer-again.log"
    with log.open("wb") as output:
        command = [*AIRFLOW, "triggerer", "--skip-serve-logs"]
        process = subprocess.Popen(
            command, env=stack.airflow.settings, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)

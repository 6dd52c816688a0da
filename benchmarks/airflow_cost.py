"""The running system with the real scheduler, for what is measured through it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import yaml

from benchmarks.target import ROOT
from local.stack.system import Stack

Say = Callable[[str], None]
DAG_ID = "contact_sync_demo"
CLIENTS = 10_000
RUN_SECONDS = 900.0
LOOK_SECONDS = 0.1
BY_HAND: Mapping[str, Any] = {"schedule": None}
CHANGED = "UPDATE b2core.clients SET last_name = %s WHERE id = ANY(%s)"
PLAIN = """
SELECT min(id) AS id, email FROM b2core.clients WHERE email ~ '^[a-z.]+[0-9]+@[a-z.]+$'
GROUP BY email HAVING count(*) = 1 ORDER BY id LIMIT %s
"""


class FailedRunError(Exception):
    """A run of the DAG didn't succeed, so its time means nothing."""


@contextmanager
def stack(
    keys: Mapping[str, Any] = BY_HAND, *, say: Say, clients: int = CLIENTS
) -> Iterator[Stack]:
    """The running system with its first load done, without SendGrid's delay; `keys` are those of
    the definition that are others than the demo's."""
    with tempfile.TemporaryDirectory() as folder:
        deployment = deployed(Path(folder), keys)
        with Stack.start(clients=clients, say=say, name="bench", deployment=deployment) as running:
            running.emulator.admin.settings(delay=0, finish_delay=0)
            running.wait_for_dag(DAG_ID)
            running.unpause(DAG_ID)
            seconds_of_run(running, {"mode": "full", "reason": "first load"})
            yield running


def deployed(folder: Path, keys: Mapping[str, Any]) -> Path:
    """The project's deployment with another definition."""
    for name in ("dags", "plugins", "include"):
        shutil.copytree(ROOT / name, folder / name)
    path = folder / "include" / "syncs" / "demo.yaml"
    definition = yaml.safe_load(path.read_text(encoding="utf-8")) | dict(keys)
    path.write_text(yaml.safe_dump(definition), encoding="utf-8")
    return folder


def seconds_of_run(running: Stack, conf: dict[str, str]) -> float:
    """Trigger a run and follow it to its end. Raises FailedRunError."""
    started = time.monotonic()
    run_id = running.trigger(DAG_ID, conf)
    while (state := running.airflow.api.run_state(DAG_ID, run_id)) not in ("success", "failed"):
        running.airflow.processes.check()
        if time.monotonic() - started > RUN_SECONDS:
            raise FailedRunError(f"{run_id} is {state} after {RUN_SECONDS:.0f} s")
        time.sleep(LOOK_SECONDS)
    if state != "success":
        raise FailedRunError(f"{run_id} {state}: see {running.airflow.task_logs}")
    return time.monotonic() - started


def plain_clients(running: Stack, count: int) -> list[tuple[int, str]]:
    """Ids and addresses of clients whose address is sent as it is, and nobody else has."""
    with psycopg.connect(running.databases.b2core_url) as connection:
        return [(row[0], row[1]) for row in connection.execute(PLAIN, (count,))]


def rename(running: Stack, clients: list[int], name: str) -> float:
    """Give clients another last name; returns the moment after the COMMIT."""
    with psycopg.connect(running.databases.b2core_url) as connection:
        connection.execute(CHANGED, (name, clients))
    return time.monotonic()

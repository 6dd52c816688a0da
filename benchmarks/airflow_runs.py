"""Runs through the real scheduler, from trigger to end, and a stack that starts over for them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql

from benchmarks.airflow_cost import DAG_ID, FailedRunError, Say
from benchmarks.target import ROOT
from local.stack.account import furnish
from local.stack.databases import OWNERS, STATE
from local.stack.system import Stack
from local.stack.workers import wait_for_workers

EMPTY_DAG_ID = "nothing_to_do"
RUN_SECONDS = 900.0
LOOK_SECONDS, LOOK_SHARE = 0.1, 0.05
SLOTS = 2
"""Tasks that a LocalExecutor runs at once here: this machine has two cores."""
TEMPLATE = f"{STATE}_template"
EMPTY_DAG = f"""
from airflow.sdk import dag, task

@dag(dag_id={EMPTY_DAG_ID!r}, schedule=None)
def nothing():
    @task
    def one():
        return 1
    @task
    def two():
        return 2
    @task
    def three():
        return 3
    one() >> two() >> three()

nothing()
"""
"""As many tasks as a run needs that has little to do."""


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds from the trigger to the run's end, and to the moment when SendGrid had accepted its
    first job (0 = there was none); CPU seconds of all of Airflow meanwhile; those instances of
    tasks that had a process, as Airflow describes them."""

    seconds: float
    accepted: float
    cpu: float
    instances: Sequence[Mapping[str, Any]]


@contextmanager
def two_dags(clients: int, say: Say, workers: Sequence[str] = ()) -> Iterator[Stack]:
    """The whole system with the demo's DAG and one that does nothing, which has run once: the first
    task of each process of an executor is slower. With Celery workers of these names, or SLOTS."""
    slots = {} if workers else {"AIRFLOW__CORE__PARALLELISM": str(SLOTS)}
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack.start(
            clients=clients, say=say, name="bench", deployment=deployment(Path(folder)),
            workers=workers, more_settings=slots,
        ) as stack,
    ):  # fmt: skip
        if workers:
            wait_for_workers(stack, workers)
        for dag_id in (DAG_ID, EMPTY_DAG_ID):
            stack.wait_for_dag(dag_id)
            stack.unpause(dag_id)
        run_of(stack, EMPTY_DAG_ID)
        copy_state(stack, STATE, TEMPLATE)
        yield stack


def deployment(folder: Path) -> Path:
    """The project's folders, with the DAG that does nothing beside its own."""
    for name in ("plugins", "include"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "dags").mkdir()
    (folder / "dags" / "nothing_to_do.py").write_text(EMPTY_DAG, encoding="utf-8")
    for file in (ROOT / "dags").glob("*.py"):
        (folder / "dags" / file.name).symlink_to(file)
    return folder


def run_of(stack: Stack, dag_id: str, conf: dict[str, str] | None = None) -> Took:
    """Trigger a run and follow it to its end. Raises FailedRunError.

    The longer it takes, the less often it is looked at: each look costs the API server, which the
    tasks need, too. When it ended is what Airflow says.
    """
    api, jobs = stack.airflow.api, len(stack.emulator.admin.jobs())
    cpu, began, accepted = cpu_seconds(stack), time.time(), 0.0
    run_id = stack.trigger(dag_id, dict(conf or {}))
    while (run := api.run(dag_id, run_id))["state"] not in ("success", "failed"):
        stack.airflow.processes.check()
        passed = time.time() - began
        if not accepted and len(stack.emulator.admin.jobs()) > jobs:
            accepted = passed
        if passed > RUN_SECONDS:
            raise FailedRunError(f"{run_id} is {run['state']} after {RUN_SECONDS:.0f} s")
        time.sleep(max(LOOK_SECONDS, passed * LOOK_SHARE))
    if run["state"] != "success":
        raise FailedRunError(f"{run_id} {run['state']}: see {stack.airflow.task_logs}")
    instances = [row for row in api.task_instances(dag_id, run_id) if row["try_number"]]
    return Took(moment(run["end_date"]) - began, accepted, cpu_seconds(stack) - cpu, instances)


def moment(text: str) -> float:
    """A moment of Airflow's as epoch seconds."""
    return datetime.fromisoformat(text).timestamp()


def cpu_seconds(stack: Stack) -> float:
    """What Airflow's processes have used so far, with those that have ended."""
    found = 0.0
    for process in processes_of(stack):
        try:
            found += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return found


def processes_of(stack: Stack) -> list[psutil.Process]:
    """All of Airflow's processes."""
    keeper = psutil.Process(stack.airflow.processes.pid("scheduler")).parent()
    return list(keeper.children(recursive=True)) if keeper else []


def command_line(stack: Stack) -> float:
    """Seconds of a full run on the command line."""
    began = time.monotonic()
    stack.contact_sync("run", "demo", "--mode", "full", seconds=RUN_SECONDS)
    return time.monotonic() - began


def start_over(stack: Stack, *, store_only: bool) -> None:
    """Empty the account and the state, as a migration leaves it (the first run makes an index that
    would cost the next one), and drop what Airflow keeps of the sync's last run."""
    copy_state(stack, TEMPLATE, STATE)
    api = stack.airflow.api
    for variable in api.send("GET", "/api/v2/variables")["variables"]:
        api.send("DELETE", f"/api/v2/variables/{variable['key']}")
    stack.emulator.admin.reset()
    furnish(stack.emulator.admin)
    stack.emulator.admin.settings(delay=0, finish_delay=0, store_only=store_only)


def copy_state(stack: Stack, source: str, copy: str) -> None:
    """Make `copy` anew as a copy of a database that nobody uses."""
    names = {"source": source, "copy": copy, "owner": OWNERS[STATE]}
    known = {name: sql.Identifier(value) for name, value in names.items()}
    drop = sql.SQL("DROP DATABASE IF EXISTS {copy} WITH (FORCE)").format(**known)
    create = sql.SQL("CREATE DATABASE {copy} TEMPLATE {source} OWNER {owner}").format(**known)
    with psycopg.connect(stack.databases.cluster.url(), autocommit=True) as connection:
        connection.execute(drop)
        connection.execute(create)
        connection.execute("CHECKPOINT")  # no run pays for what another one has to write

"""What runs take through the real scheduler, beside a DAG of as many tasks that do nothing."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil
import psycopg

from benchmarks.airflow_cost import DAG_ID, FailedRunError, Say, plain_clients, rename
from benchmarks.target import ROOT
from local.stack.account import furnish
from local.stack.databases import STATE
from local.stack.system import Stack

Figures = dict[str, float | int | str]
EMPTY_DAG_ID = "nothing_to_do"
RUN_SECONDS = 900.0
LOOK_SECONDS = 0.1
CHANGED = 100
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
    first job (0 = there was none); CPU seconds of all of Airflow meanwhile; how many processes the
    tasks had."""

    seconds: float
    accepted: float
    cpu: float
    tasks: int


def deployment(folder: Path) -> Path:
    """The project's folders, with the DAG that does nothing beside its own."""
    for name in ("plugins", "include"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "dags").mkdir()
    (folder / "dags" / "nothing_to_do.py").write_text(EMPTY_DAG, encoding="utf-8")
    for file in (ROOT / "dags").glob("*.py"):
        (folder / "dags" / file.name).symlink_to(file)
    return folder


def overhead(clients: int, repetitions: int, say: Say) -> Figures:
    """Start the whole system; first load, then runs with 0 and with CHANGED changed clients, and
    runs of the DAG that does nothing; at last a first load on the command line."""
    with ExitStack() as opened:
        folder = deployment(Path(opened.enter_context(tempfile.TemporaryDirectory())))
        stack = opened.enter_context(
            Stack.start(clients=clients, say=say, name="bench", deployment=folder)
        )
        stack.emulator.admin.settings(delay=0, finish_delay=0)
        for dag_id in (DAG_ID, EMPTY_DAG_ID):
            stack.wait_for_dag(dag_id)
            stack.unpause(dag_id)
        run_of(stack, EMPTY_DAG_ID)  # the first task of each process of the executor is slower
        first = run_of(stack, DAG_ID, {"mode": "full", "reason": "first load"})
        say(f"Airflow, first load of {clients:,}: {first.seconds:.1f} s, {first.tasks} tasks")
        run_of(stack, DAG_ID, {"mode": "incremental"})  # after a full run, one reads everything
        nothing, hundred, empty = [], [], []
        for repetition in range(repetitions):
            nothing.append(sent(stack, 0, f"N{repetition}"))
            hundred.append(sent(stack, CHANGED, f"C{repetition}"))
            empty.append(run_of(stack, EMPTY_DAG_ID))
            say(
                f"Airflow: {nothing[-1].seconds:.1f} s without a change, "
                f"{hundred[-1].seconds:.1f} s with {CHANGED} ({hundred[-1].accepted:.1f} s until "
                f"accepted), {empty[-1].seconds:.1f} s a DAG that does nothing"
            )
        forget(stack)
        began = time.monotonic()
        stack.contact_sync("run", "demo", "--mode", "full")
        command_line = time.monotonic() - began
        say(f"Command line, first load of {clients:,}: {command_line:.1f} s")
    return {
        "airflow_clients": clients,
        **of("no_change", nothing),
        **of("hundred_changed", hundred),
        "airflow_hundred_accepted_s": round(median(run.accepted for run in hundred), 2),
        **of("empty", empty),
        **of("first_load", [first]),
        "airflow_first_load_over_cli": round(first.seconds / command_line, 2),
        "airflow_overhead_s": round(median(run.seconds for run in hundred), 2),
    }


def of(name: str, runs: list[Took]) -> Figures:
    """The medians of runs of one kind."""
    return {
        f"airflow_{name}_s": round(median(run.seconds for run in runs), 2),
        f"airflow_{name}_cpu_s": round(median(run.cpu for run in runs), 2),
        f"airflow_{name}_tasks": max(run.tasks for run in runs),
    }


def sent(stack: Stack, changes: int, name: str) -> Took:
    """A run after so many clients got another name. Raises FailedRunError if it sends others."""
    rename(stack, [client for client, _ in plain_clients(stack, changes)], name)
    took = run_of(stack, DAG_ID, {"mode": "incremental"})
    found = stack.status("demo")["runs"][0]["counts"]["sent"]
    if found != changes:
        raise FailedRunError(f"A run after {changes} changes sent {found} contacts")
    return took


def run_of(stack: Stack, dag_id: str, conf: dict[str, str] | None = None) -> Took:
    """Trigger a run and follow it to its end. Raises FailedRunError."""
    api, jobs = stack.airflow.api, len(stack.emulator.admin.jobs())
    cpu, began, accepted = cpu_seconds(stack), time.monotonic(), 0.0
    run_id = stack.trigger(dag_id, dict(conf or {}))
    while (state := api.run_state(dag_id, run_id)) not in ("success", "failed"):
        stack.airflow.processes.check()
        if not accepted and len(stack.emulator.admin.jobs()) > jobs:
            accepted = time.monotonic() - began
        if time.monotonic() - began > RUN_SECONDS:
            raise FailedRunError(f"{run_id} is {state} after {RUN_SECONDS:.0f} s")
        time.sleep(LOOK_SECONDS)
    seconds = time.monotonic() - began
    if state != "success":
        raise FailedRunError(f"{run_id} {state}: see {stack.airflow.task_logs}")
    tasks = sum(bool(row["try_number"]) for row in api.task_instances(dag_id, run_id))
    return Took(seconds, accepted, cpu_seconds(stack) - cpu, tasks)


def cpu_seconds(stack: Stack) -> float:
    """What Airflow's processes have used so far, with those that have ended."""
    keeper = psutil.Process(stack.airflow.processes.pid("scheduler")).parent()
    found = 0.0
    for process in keeper.children(recursive=True) if keeper else ():
        try:
            found += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return found


def forget(stack: Stack) -> None:
    """Empty the state and the account, and drop what Airflow keeps of the sync's last run."""
    with psycopg.connect(stack.databases.cluster.url(STATE)) as connection:
        connection.execute("TRUNCATE contact_sync.sync CASCADE")
    api = stack.airflow.api
    for variable in api.send("GET", "/api/v2/variables")["variables"]:
        api.send("DELETE", f"/api/v2/variables/{variable['key']}")
    stack.emulator.admin.reset()
    furnish(stack.emulator.admin)
    stack.emulator.admin.settings(delay=0, finish_delay=0)

"""What the tests with a real Airflow share: run a DAG, compare the contacts, look for processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil

from local.demo.sync import DAG_ID, SYNC
from local.oracle import differences, expected
from local.stack.runs import failed_tasks, wait
from local.stack.system import Stack

CLIENTS = 500  # of the stack that the tests share
RUN_SECONDS = 240.0


def run(stack: Stack, conf: dict[str, Any]) -> dict[str, Any]:
    """Run the DAG to its successful end and return the package's report of it."""
    run_id = stack.trigger(DAG_ID, conf)
    state = wait(stack, DAG_ID, run_id, seconds=RUN_SECONDS)
    assert state == "success", why_failed(stack, run_id)
    return dict(stack.status(SYNC)["runs"][0])


def why_failed(stack: Stack, run_id: str) -> str:
    """Return the names and the logs' ends of a run's failed tasks."""
    failures = failed_tasks(stack, DAG_ID, run_id)
    return "\n".join(f"{failed.task}\n{failed.log}" for failed in failures)


def wrong_contacts(stack: Stack, clients: int) -> list[str]:
    """Return what differs between the emulator's contacts and what B2CORE calls for."""
    wanted = expected(stack.databases.b2core_url)
    assert len(wanted.contacts) > clients / 2
    return differences(stack.emulator.admin.contacts(), wanted, list_id=stack.list_id)


def processes_of(stack: Stack) -> list[psutil.Process]:
    """Return all processes of the stack: PostgreSQL's, the emulator's and Airflow's."""
    pid_file = Path(stack.databases.cluster.directory, "data", "postmaster.pid")
    keeper = psutil.Process(stack.airflow.processes.pid("api-server")).parent()
    assert keeper is not None, "Airflow has ended already"
    server = int(pid_file.read_text(encoding="ascii").split()[0])
    roots = [psutil.Process(server), psutil.Process(stack.emulator.pid), keeper]
    return [each for root in roots for each in (root, *root.children(recursive=True))]


def lives(process: psutil.Process) -> bool:
    """Return whether a process still runs; where nobody reaps orphans an ended one stays listed."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False

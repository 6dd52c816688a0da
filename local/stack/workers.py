"""What only a stack with several workers has: who ran which task, and a worker that is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

import psutil

from local.airflow_stack.keeper import send
from local.stack.directory import StackError
from local.stack.runs import name_of
from local.stack.system import Stack

# The same look that docker-compose.yaml takes at its workers.
PING = ("celery", "--app", "airflow.providers.celery.executors.celery_executor.app",
        "inspect", "ping")  # fmt: skip
PING_SECONDS = 60.0
START_SECONDS = 120.0
LOOK_SECONDS = 0.5


def wait_for_workers(stack: Stack, workers: Sequence[str]) -> None:
    """Wait until every worker answers. Raise StackError with the log of one that does not."""
    deadline = time.monotonic() + START_SECONDS
    missing = list(workers)
    while missing := [worker for worker in missing if not answers(stack, worker)]:
        stack.airflow.processes.check()
        if time.monotonic() > deadline:
            raise StackError(
                f"The worker {missing[0]} did not start within {START_SECONDS:.0f} s. Its log "
                f"ends:\n{stack.airflow.processes.tail(missing[0])}"
            )
    stack.say(f"Celery workers are up: {', '.join(workers)}")


def answers(stack: Stack, worker: str) -> bool:
    """Return whether a Celery worker answers a ping."""
    command = [sys.executable, "-m", *PING, "--destination", f"celery@{worker}"]
    done = subprocess.run(
        command,
        env=stack.airflow.settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PING_SECONDS,
        check=False,
    )
    return done.returncode == 0


def tasks_by_worker(stack: Stack, dag_id: str, run_id: str, state: str) -> dict[str, list[str]]:
    """Return which tasks of a run are in a state: `task[index]`, by the worker that has them."""
    found: dict[str, list[str]] = {}
    for row in stack.airflow.api.task_instances(dag_id, run_id):
        if row["state"] == state and row["hostname"]:
            found.setdefault(row["hostname"], []).append(name_of(row))
    return found


def kill_in_the_middle(
    stack: Stack, dag_id: str, run_id: str, *, task_id: str, victim: str, seconds: float
) -> list[str]:
    """Kill a worker, as when its machine dies, while it is at some of a mapped task.

    Before that it has done some, and so has another worker. Return the instances that it was at.
    Raise StackError when that moment does not come in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        stack.airflow.processes.check()
        done = instances(tasks_by_worker(stack, dag_id, run_id, "success"), task_id)
        if len(done) > 1 and victim in done:
            # Frozen first: what it is at then can't end between the look and the kill.
            frozen = freeze(partial(worker_processes, stack, victim))
            at_work = instances(tasks_by_worker(stack, dag_id, run_id, "running"), task_id)
            number = signal.SIGKILL if victim in at_work else signal.SIGCONT
            for process in frozen:
                send(process.pid, number)
            if victim in at_work:
                return at_work[victim]
        time.sleep(LOOK_SECONDS)
    raise StackError(
        f"Within {seconds:.0f} s there was no moment at which every worker had done some of "
        f"{task_id} and {victim} was at more of it: "
        f"{tasks_by_worker(stack, dag_id, run_id, 'success')}"
    )


def instances(by_worker: dict[str, list[str]], task_id: str) -> dict[str, list[str]]:
    """Return the instances of one mapped task; workers without any are left out."""
    chosen = {
        worker: [name for name in names if name.startswith(f"{task_id}[")]
        for worker, names in by_worker.items()
    }
    return {worker: names for worker, names in chosen.items() if names}


def worker_processes(stack: Stack, worker: str) -> list[psutil.Process]:
    """Return a worker's living processes: the one that the keeper started, and all below it."""
    top = psutil.Process(stack.airflow.processes.pid(worker))
    return [top, *top.children(recursive=True)]


def freeze(processes: Callable[[], list[psutil.Process]]) -> list[psutil.Process]:
    """Stop processes without ending them, until no new one has come up; return them."""
    frozen: list[psutil.Process] = []
    while new := [process for process in processes() if process not in frozen]:
        for process in new:
            send(process.pid, signal.SIGSTOP)
        frozen += new
    return frozen

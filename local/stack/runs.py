"""Follow a DAG run of the stack to its end, and say why it failed if it did."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from local.airflow_stack.logs import readable_log
from local.stack.directory import StackError
from local.stack.system import Stack

LOOK_SECONDS = 1.0  # each look costs the API server the list of all tasks
QUIET_SECONDS = 10.0
FINISHED = ("success", "failed")
BROKEN = ("failed", "upstream_failed")
NOT_YET = ("scheduled", "queued")  # of no interest: they say that a task has not begun


@dataclass(frozen=True, slots=True)
class FailedTask:
    """A task of a run that failed, and the end of its log."""

    task: str
    log: str


def wait(stack: Stack, dag_id: str, run_id: str, *, seconds: float) -> str:
    """Wait for a run to end, telling each change of its tasks, and return its final state.

    Raise StackError when it has not ended in time.
    """
    deadline = time.monotonic() + seconds
    told: dict[str, str] = {}
    told_at = time.monotonic()
    while True:
        stack.airflow.processes.check()
        # The run's state first: when it is final, so are the tasks' states read after it.
        run_state = stack.airflow.api.run_state(dag_id, run_id)
        states = task_states(stack, dag_id, run_id)
        changed = {task: state for task, state in states.items() if told.get(task) != state}
        for task, state in changed.items():
            stack.say(f"  {task}: {state}")
        if run_state in FINISHED:
            return run_state
        if changed:
            told_at = time.monotonic()
        elif time.monotonic() - told_at > QUIET_SECONDS:
            stack.say(f"  still {run_state}: {unfinished(states)}")
            told_at = time.monotonic()
        told |= changed
        if time.monotonic() > deadline:
            raise StackError(
                f"The run {run_id} of {dag_id} did not end within {seconds:.0f} s; it is "
                f"{run_state}: {unfinished(states)}. Task logs: {stack.airflow.task_logs}"
            )
        time.sleep(LOOK_SECONDS)


def task_states(stack: Stack, dag_id: str, run_id: str) -> dict[str, str]:
    """Return the state of each task that has begun, in order; of a mapped one, of its instances."""
    rows = stack.airflow.api.task_instances(dag_id, run_id)
    begun = [row for row in rows if row["state"] and row["state"] not in NOT_YET]
    started = {row["task_id"]: row["start_date"] or "~" for row in reversed(begun)}
    begun.sort(key=lambda row: (started[row["task_id"]], row["task_id"], row["map_index"]))
    counts = Counter(row["task_id"] for row in rows)
    return {
        task: state_of(list(instances), counts[task])
        for task, instances in groupby(begun, key=itemgetter("task_id"))
    }


def state_of(begun: list[dict[str, Any]], count: int) -> str:
    """Put the states of one task's instances, of which there are `count`, into words."""
    first = begun[0]
    if count == 1:
        seconds = f" ({first['duration']:.1f} s)" if first["state"] == "success" else ""
        attempt = f" (attempt {first['try_number']})" if first["try_number"] > 1 else ""
        return f"{first['state']}{attempt}{seconds}"
    states = Counter(str(row["state"]) for row in begun)
    return ", ".join(f"{states[state]} of {count} {state}" for state in sorted(states))


def unfinished(states: dict[str, str]) -> str:
    """Name the tasks that have begun and not ended."""
    ended = ("success", "skipped", "failed", "upstream_failed")
    going = [f"{task} {state}" for task, state in states.items() if not state.startswith(ended)]
    return ", ".join(going) or "no task runs at the moment"


def failed_tasks(stack: Stack, dag_id: str, run_id: str) -> list[FailedTask]:
    """Return the tasks of a run that failed themselves, each with the end of its newest log."""
    return [
        FailedTask(name_of(row), log_of(stack.airflow.task_logs, dag_id, run_id, row))
        for row in stack.airflow.api.task_instances(dag_id, run_id)
        if row["state"] == "failed"
    ]


def name_of(row: dict[str, Any]) -> str:
    """Return the task's id, with its index if it is mapped."""
    return row["task_id"] if row["map_index"] < 0 else f"{row['task_id']}[{row['map_index']}]"


def log_of(logs: Path, dag_id: str, run_id: str, row: dict[str, Any]) -> str:
    """Return the end of the newest log of a task instance."""
    folder = logs / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={row['task_id']}"
    if row["map_index"] >= 0:
        folder /= f"map_index={row['map_index']}"
    files = sorted(folder.glob("attempt=*.log"), key=lambda path: path.stat().st_mtime)
    if not files:
        return f"    (no log in {folder}: the task did not start; see the scheduler's log)"
    return f"    {files[-1]}\n{readable_log(files[-1])}"

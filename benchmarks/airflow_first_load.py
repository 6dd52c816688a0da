"""First loads through Airflow, each followed by one on the command line, the emulator only storing
what comes; and the memory of the processes that tasks run in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from benchmarks.airflow_cost import DAG_ID, Say
from benchmarks.airflow_runs import Took, command_line, moment, run_of, start_over, two_dags
from benchmarks.task_memory import task_memory
from local.stack.system import Stack

Figures = dict[str, float | int | str]
WORKERS = ("worker-1", "worker-2")
SHARE = 1.3
"""The target is this many times the command line's seconds, and 15 more."""


@dataclass(frozen=True, slots=True)
class Task:
    """Its first instance began and its last one ended so many seconds after the first task of the
    run; its instances, and the largest peak memory of their processes in MB."""

    began: float
    ended: float
    instances: int
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Pair:
    """A first load through Airflow, and the seconds of the command line's after it."""

    airflow: Took
    tasks: Mapping[str, Task]
    command_line: float


def by_celery(clients: int, repetitions: int, say: Say) -> Figures:
    """First loads by two Celery workers, in a system of their own."""
    with two_dags(clients, say, WORKERS) as stack:
        return first_loads(stack, repetitions, "airflow_celery_first_load", say)


def first_loads(stack: Stack, repetitions: int, prefix: str, say: Say) -> Figures:
    """Measure pairs of first loads; returns their medians, and what each task took."""
    slots = int(stack.airflow.settings["AIRFLOW__CORE__PARALLELISM"])
    pairs = [first_load(stack, prefix, say) for _ in range(repetitions)]
    return {f"{prefix}_slots": slots, **figures_of(prefix, pairs)}


def figures_of(prefix: str, pairs: list[Pair]) -> Figures:
    """Medians of seconds; the largest peaks of memory."""
    found: Figures = {
        f"{prefix}_s": middle(pair.airflow.seconds for pair in pairs),
        f"{prefix}_cli_s": middle(pair.command_line for pair in pairs),
        f"{prefix}_over_cli": middle(pair.airflow.seconds / pair.command_line for pair in pairs),
        f"{prefix}_above_share_s": middle(
            pair.airflow.seconds - SHARE * pair.command_line for pair in pairs
        ),
        f"{prefix}_cpu_s": middle(pair.airflow.cpu for pair in pairs),
        f"{prefix}_tasks": max(len(pair.airflow.instances) for pair in pairs),
        f"{prefix}_peak_mb": max(task.rss_mb for pair in pairs for task in pair.tasks.values()),
    }
    for name in pairs[0].tasks:
        each = [pair.tasks[name] for pair in pairs if name in pair.tasks]
        found[f"{prefix}_{name}_s"] = middle(task.ended - task.began for task in each)
        found[f"{prefix}_{name}_rss_mb"] = max(task.rss_mb for task in each)
    return found


def middle(values: Iterable[float]) -> float:
    """The median, rounded for people."""
    return round(median(values), 2)


def first_load(stack: Stack, prefix: str, say: Say) -> Pair:
    """One through Airflow, and one on the command line, both from nothing."""
    start_over(stack, store_only=True)
    with task_memory(stack) as peaks:
        took = run_of(stack, DAG_ID, {"mode": "full", "reason": "first load"})
    tasks = tasks_of(took, peaks)
    start_over(stack, store_only=True)
    pair = Pair(took, tasks, command_line(stack))
    say(f"{prefix}: {took.seconds:.1f} s, {len(took.instances)} tasks; command line "
        f"{pair.command_line:.1f} s")  # fmt: skip
    for name, task in tasks.items():
        say(f"  {task.began:5.1f} to {task.ended:5.1f} s {name}, {task.instances} times, "
            f"{task.rss_mb:.0f} MB")  # fmt: skip
    return pair


def tasks_of(took: Took, peaks: Mapping[str, float]) -> dict[str, Task]:
    """What each task of a run took, in the order in which they began."""
    rows = [row for row in took.instances if row["start_date"] and row["end_date"]]
    rows.sort(key=lambda row: moment(row["start_date"]))
    zero = moment(rows[0]["start_date"])
    found = {}
    for name in dict.fromkeys(row["task_id"] for row in rows):
        own = [row for row in rows if row["task_id"] == name]
        found[name] = Task(
            moment(own[0]["start_date"]) - zero,
            max(moment(row["end_date"]) for row in own) - zero,
            len(own),
            round(max(peaks.get(row["id"], 0.0) for row in own)),
        )
    return found

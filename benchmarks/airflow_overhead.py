"""What runs take through the real scheduler, beside a DAG of as many tasks that do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from benchmarks.airflow_cost import DAG_ID, FailedRunError, Say, plain_clients, rename
from benchmarks.airflow_first_load import Figures, by_celery, first_loads
from benchmarks.airflow_runs import (
    EMPTY_DAG_ID,
    Took,
    command_line,
    run_of,
    start_over,
    two_dags,
)
from local.stack.system import Stack

CHANGED = 100


def airflow(clients: int, repetitions: int, say: Say) -> Iterator[Figures]:
    """First loads by a LocalExecutor, runs with little to do, first loads by Celery workers."""
    with two_dags(clients, say) as stack:
        yield {
            "airflow_clients": clients,
            **first_loads(stack, repetitions, "airflow_first_load", say),
        }
        yield little_to_do(stack, repetitions, say)
    yield by_celery(clients, repetitions, say)


def little_to_do(stack: Stack, repetitions: int, say: Say) -> Figures:
    """Runs with 0 and with CHANGED changed clients, and runs of the DAG that does nothing. The
    emulator processes every contact: those that change are looked up before."""
    start_over(stack, store_only=False)
    command_line(stack)
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
    return {
        **of("no_change", nothing),
        **of("hundred_changed", hundred),
        "airflow_hundred_accepted_s": round(median(run.accepted for run in hundred), 2),
        **of("empty", empty),
        "airflow_overhead_s": round(median(run.seconds for run in hundred), 2),
    }


def of(name: str, runs: list[Took]) -> Figures:
    """The medians of runs of one kind."""
    return {
        f"airflow_{name}_s": round(median(run.seconds for run in runs), 2),
        f"airflow_{name}_cpu_s": round(median(run.cpu for run in runs), 2),
        f"airflow_{name}_tasks": max(len(run.instances) for run in runs),
    }


def sent(stack: Stack, changes: int, name: str) -> Took:
    """A run after so many clients got another name. Raises FailedRunError if it sends others."""
    rename(stack, [client for client, _ in plain_clients(stack, changes)], name)
    took = run_of(stack, DAG_ID, {"mode": "incremental"})
    found = stack.status("demo")["runs"][0]["counts"]["sent"]
    if found != changes:
        raise FailedRunError(f"A run after {changes} changes sent {found} contacts")
    return took

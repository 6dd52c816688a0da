"""The peak memory of the processes that tasks run in, seen from outside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import psutil

from benchmarks.airflow_runs import processes_of
from benchmarks.busy import beside
from local.stack.system import Stack

LOOK_SECONDS = 0.25
TITLE = "airflow worker -- "  # Airflow's title of a task's process; the instance's id follows
PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


@contextmanager
def task_memory(stack: Stack) -> Iterator[dict[str, float]]:
    """Meanwhile, the peak memory in MB (resident, with the pages that a process shares with the one
    that it was forked from) of each task instance's process, by the instance's id.

    It is Linux's own peak, so that only what a process adds in its last LOOK_SECONDS is missed.
    """
    peaks: dict[str, float] = {}

    def sample(stop: Event) -> None:
        while not stop.wait(LOOK_SECONDS):
            for process in processes_of(stack):
                if (found := peak_of(process)) is not None:
                    peaks[found[0]] = max(found[1], peaks.get(found[0], 0.0))

    with beside(sample):
        yield peaks


def peak_of(process: psutil.Process) -> tuple[str, float] | None:
    """The id of the task instance that the process runs, and its peak; None: it runs none."""
    try:
        title = " ".join(process.cmdline()).strip()
        if not title.startswith(TITLE):
            return None
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii", errors="replace")
    except (psutil.Error, OSError):
        return None
    peak = PEAK.search(status)
    return (title.removeprefix(TITLE), int(peak[1]) / 1000) if peak else None

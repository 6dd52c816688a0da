"""Start a program as a fresh process and measure it: wall, CPU of each side, peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import psutil

from benchmarks.target import ROOT
from benchmarks.world import World

TIMEOUT_SECONDS = 1800.0
PROGRAMS = {
    "limit": ("benchmarks.limit",),
    "scan": ("benchmarks.product", "scan"),
    "incremental": ("benchmarks.product", "incremental"),
    "full": ("benchmarks.product", "full"),
    "resend": ("benchmarks.product", "resend"),
    "cleared": ("benchmarks.product", "cleared"),
    "baseline": ("benchmarks.baseline",),
    "verification read": ("benchmarks.verification", "read"),
    "verification download": ("benchmarks.verification", "download"),
    "verification verify": ("benchmarks.verification", "verify"),
}
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
"""Where that is set each process compiles our modules again, which takes 0.1 s."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one program took. Seconds; `cpu` is of our own processes, `rss_mb` the peak of ours.

    Wall time is from the start of the interpreter to its end, with all imports. `other_cores` is
    how many cores anybody else kept busy meanwhile: above some 0.3 the wall time says little.
    """

    wall: float
    cpu: float
    postgres_cpu: float
    sendgrid_cpu: float
    other_cores: float
    rss_mb: float
    answer: dict[str, Any]


def measure(world: World, program: str) -> Measured:
    """Run one of PROGRAMS on the world. Raises RuntimeError with its last words if it fails."""
    world.settle_down()
    postgres, emulator = world.postgres(), psutil.Process(world.emulator.pid)
    before = cpu_of(postgres), cpu_of(emulator), busy_seconds()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", *PROGRAMS[program]],
            cwd=ROOT, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=output, stderr=errors,
        )  # fmt: skip
        guard = threading.Timer(TIMEOUT_SECONDS, process.kill)
        guard.start()
        try:
            if process.stdin is not None:
                process.stdin.write(world.target.to_json())
                process.stdin.close()
            _, status, used = os.wait4(process.pid, 0)
        finally:
            guard.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        wall, busy = time.perf_counter() - started, busy_seconds() - before[2]
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            words = errors.read().decode(errors="replace")[-3000:]
            raise RuntimeError(f"{program} ended with status {process.returncode}:\n{words}")
        answer = json.loads(output.read().splitlines()[-1])
    cpu = used.ru_utime + used.ru_stime
    servers = cpu_of(postgres) - before[0], cpu_of(emulator) - before[1]
    return Measured(
        wall=wall,
        cpu=cpu,
        postgres_cpu=servers[0],
        sendgrid_cpu=servers[1],
        other_cores=max(0.0, busy - cpu - sum(servers)) / wall,
        rss_mb=answer.pop("rss_mb"),
        answer=answer,
    )


def start_of_python() -> float:
    """Wall seconds of an interpreter that does nothing, the median of five."""
    walls = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        walls.append(time.perf_counter() - began)
    return round(median(walls), 3)


def busy_seconds() -> float:
    """CPU seconds that the whole machine has worked since it was started."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq)


def cpu_of(process: psutil.Process) -> float:
    """CPU seconds of a process and of its children, those included that have ended."""
    total = 0.0
    for one in [process, *process.children()]:
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        if one is process:
            total += times.children_user + times.children_system
    return total

"""How fresh a contact is, from COMMIT to the contact: by the clock, and with changes; and what it
costs B2CORE to be watched while it is written into without a pause."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from threading import Event
from typing import Any

import psutil
import psycopg

from benchmarks.airflow_cost import (
    CHANGED,
    RUN_SECONDS,
    FailedRunError,
    Say,
    plain_clients,
    stack,
)
from benchmarks.busy import beside
from local.b2core_demo import READER
from local.stack.databases import B2CORE
from local.stack.system import Stack

Figures = dict[str, float | int | str]
SCHEDULE = "* * * * *"  # as often as cron can
BY_CLOCK: Mapping[str, Any] = {"schedule": SCHEDULE}
BY_CHANGES: Mapping[str, Any] = {"schedule": "changes"}  # all else as it is by default
PAUSE = (5.0, 25.0)  # seconds between two changes, so that they meet every phase of the schedule
OTHERS_SECONDS = 1.0  # so often another session writes into a table that no contact is made of
LOAD_PER_MINUTE = 1_000
SAMPLED = 10  # of so many changes of the load, one is followed
LOOK_SECONDS = 0.5
CPU_SECONDS = 0.1


def airflow_figures(
    parts: Sequence[str], changes: int, load: tuple[int, int], say: Say
) -> Iterator[Figures]:
    """Start the whole system once for each part and measure it; `load`: clients and minutes."""
    if "freshness" in parts:
        for prefix, keys in {"freshness": BY_CLOCK, "freshness_event": BY_CHANGES}.items():
            with stack(keys, say=say) as running:
                waits = single_changes(running, changes, say)
                yield {**spread(prefix, waits), f"{prefix}_schedule": keys["schedule"]}
    if "load" in parts:
        clients, minutes = load
        with stack(BY_CHANGES, say=say, clients=clients) as running:
            yield under_load(running, minutes, say) | {"freshness_load_clients": clients}


def spread(prefix: str, waits: list[float]) -> Figures:
    """Half of the waits, and 95 %, are no longer than this."""
    waits = sorted(waits)
    return {
        f"{prefix}_p50_s": round(median(waits), 2),
        f"{prefix}_p95_s": round(waits[min(len(waits) - 1, int(len(waits) * 0.95))], 2),
        f"{prefix}_changes": len(waits),
    }


@dataclass(slots=True)
class Arrivals:
    """Changed clients on their way: address → name and moment of the COMMIT; then the waits."""

    awaited: dict[str, tuple[str, float]] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)

    def look(self, running: Stack) -> None:
        """Note the contacts that have arrived since the last look."""
        emails = list(self.awaited)
        for contact in running.emulator.admin.iter_contacts(emails) if emails else ():
            name, committed = self.awaited[contact["email"]]
            if contact["last_name"] == name:
                del self.awaited[contact["email"]]
                self.waits.append(time.monotonic() - committed)

    def follow(self, running: Stack, writing: Future[None], seconds: float) -> list[float]:
        """All waits, once the writer has ended and nothing is awaited. Raises FailedRunError."""
        deadline = time.monotonic() + seconds
        while not writing.done() or self.awaited:
            if time.monotonic() > deadline:
                raise FailedRunError(f"{len(self.awaited)} changes didn't arrive")
            running.airflow.processes.check()
            self.look(running)
            time.sleep(LOOK_SECONDS)
        return self.waits


def single_changes(running: Stack, changes: int, say: Say) -> list[float]:
    """So many changes at random moments, while another session writes something else."""
    arrivals, chance = Arrivals(), random.Random(1)
    clients = plain_clients(running, changes)

    def change(stop: Event) -> None:
        for client, email in clients:
            if stop.wait(chance.uniform(*PAUSE)):
                return
            name = f"Fresh {client}"
            with psycopg.connect(running.databases.b2core_url) as connection:
                connection.execute(CHANGED, (name, [client]))
            arrivals.awaited[email] = (name, time.monotonic())

    def others(stop: Event) -> None:
        with psycopg.connect(running.databases.b2core_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE b2core.bench_others (at timestamptz)")
            while not stop.wait(OTHERS_SECONDS):
                connection.execute("INSERT INTO b2core.bench_others VALUES (now())")

    with beside(others), beside(change) as writing:
        waits = arrivals.follow(running, writing, changes * PAUSE[1] + RUN_SECONDS)
    say(f"Freshness: visible after {', '.join(f'{wait:.1f}' for wait in waits)} s")
    return waits


def under_load(running: Stack, minutes: int, say: Say) -> Figures:
    """LOAD_PER_MINUTE changes a minute, each a transaction; every tenth is followed."""
    arrivals, count = Arrivals(), LOAD_PER_MINUTE * minutes
    clients = plain_clients(running, count)
    began = time.monotonic()

    def change(stop: Event) -> None:
        with psycopg.connect(running.databases.b2core_url, autocommit=True) as connection:
            for number, (client, email) in enumerate(clients):
                if stop.wait(max(0.0, began + number * 60 / LOAD_PER_MINUTE - time.monotonic())):
                    return
                connection.execute(CHANGED, (f"Load {client}", [client]))
                if number % SAMPLED == 0:
                    arrivals.awaited[email] = (f"Load {client}", time.monotonic())

    with cpu_of_reader(running) as cpu, beside(change) as writing:
        waits = arrivals.follow(running, writing, minutes * 60 + RUN_SECONDS)
        seconds = time.monotonic() - began
    share = round(100 * sum(cpu.values()) / seconds, 2)
    say(f"Load: {len(waits)} of {len(clients)} changes followed, B2CORE {share} % of a core")
    return {
        **spread("freshness_load", waits),
        "freshness_load_per_minute": round(len(clients) / minutes),
        "freshness_load_minutes": minutes,
        "freshness_load_b2core_percent": share,
    }


@contextmanager
def cpu_of_reader(running: Stack) -> Iterator[dict[int, float]]:
    """Meanwhile, the processor seconds of each session that reads B2CORE for the sync, by process
    id; what a session does in its last CPU_SECONDS is missed."""
    found: dict[int, float] = {}
    before: dict[int, float] = {}
    url = running.databases.cluster.url(B2CORE)
    query = "SELECT pid FROM pg_stat_activity WHERE usename = %s AND datname = %s"

    def sample(stop: Event) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not stop.wait(CPU_SECONDS):
                for (pid,) in connection.execute(query, (READER, B2CORE)).fetchall():
                    try:
                        times = psutil.Process(pid).cpu_times()
                    except psutil.NoSuchProcess:
                        continue
                    is_first = not before
                    total = times.user + times.system
                    before.setdefault(pid, total if is_first else 0.0)
                    found[pid] = total - before[pid]

    with beside(sample):
        yield found

"""How fresh a contact is, through the real scheduler."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psycopg

from benchmarks.target import ROOT
from local.stack.system import Stack

Say = Callable[[str], None]
DAG_ID = "contact_sync_demo"
CLIENTS = 10_000
RUN_SECONDS = 300.0
LOOK_SECONDS = 0.1
SCHEDULE = "* * * * *"  # a run takes a quarter of a minute: more often would only queue
CHANGES = 24
PAUSE = (5.0, 25.0)  # seconds between two changes, so that they meet every phase of the schedule
CHANGED = "UPDATE b2core.clients SET last_name = %s WHERE id = ANY(%s)"
PLAIN = """
SELECT id, email FROM b2core.clients WHERE email ~ '^[a-z.]+[0-9]+@[a-z.]+$' ORDER BY id LIMIT %s
"""


class FailedRunError(Exception):
    """A run of the DAG didn't succeed, so its time means nothing."""


def airflow_figures(say: Say) -> Iterator[dict[str, float | int | str]]:
    """Start the whole system and measure it."""
    with stack(schedule=SCHEDULE, say=say) as running:
        yield freshness(running, say)


@contextmanager
def stack(*, schedule: str | None, say: Say) -> Iterator[Stack]:
    """The running system with its first load done, without SendGrid's delay."""
    with tempfile.TemporaryDirectory() as folder:
        deployment = scheduled(Path(folder), schedule)
        with Stack.start(clients=CLIENTS, say=say, name="bench", deployment=deployment) as running:
            running.emulator.admin.settings(delay=0, finish_delay=0)
            running.wait_for_dag(DAG_ID)
            running.unpause(DAG_ID)
            seconds_of_run(running, {"mode": "full", "reason": "first load"})
            yield running


def scheduled(folder: Path, schedule: str | None) -> Path:
    """The project's deployment with another schedule in a copy of its DAG file."""
    text = (ROOT / "dags" / "contact_sync.py").read_text(encoding="utf-8")
    before = "schedule=definition.schedule if definition.sends else None,"
    if text.count(before) != 1:
        raise RuntimeError(f"dags/contact_sync.py has no single {before!r}: adapt the benchmark")
    for name in ("plugins", "include"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "dags").mkdir()
    copy = folder / "dags" / "contact_sync.py"
    copy.write_text(text.replace(before, f"schedule={schedule!r},"), encoding="utf-8")
    return folder


def seconds_of_run(running: Stack, conf: dict[str, str]) -> float:
    """Trigger a run and follow it to its end. Raises FailedRunError."""
    started = time.monotonic()
    run_id = running.trigger(DAG_ID, conf)
    while (state := running.airflow.api.run_state(DAG_ID, run_id)) not in ("success", "failed"):
        running.airflow.processes.check()
        if time.monotonic() - started > RUN_SECONDS:
            raise FailedRunError(f"{run_id} is {state} after {RUN_SECONDS:.0f} s")
        time.sleep(LOOK_SECONDS)
    if state != "success":
        raise FailedRunError(f"{run_id} {state}: see {running.airflow.task_logs}")
    return time.monotonic() - started


def plain_clients(running: Stack, count: int) -> list[tuple[int, str]]:
    """Ids and addresses of clients whose address is sent as it is."""
    with psycopg.connect(running.databases.b2core_url) as connection:
        return [(row[0], row[1]) for row in connection.execute(PLAIN, (count,))]


def rename(running: Stack, clients: list[int], name: str) -> float:
    """Give clients another last name; returns the moment after the COMMIT."""
    with psycopg.connect(running.databases.b2core_url) as connection:
        connection.execute(CHANGED, (name, clients))
    return time.monotonic()


@dataclass(slots=True)
class Arrivals:
    """Changed clients on their way: address → name and moment of the COMMIT; then the waits."""

    awaited: dict[str, tuple[str, float]] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)

    def look(self, running: Stack) -> None:
        """Note the contacts that have arrived since the last look."""
        if not self.awaited:
            return
        for contact in running.emulator.admin.iter_contacts():
            name, committed = self.awaited.get(contact["email"], ("", 0.0))
            if name and contact["last_name"] == name:
                del self.awaited[contact["email"]]
                self.waits.append(time.monotonic() - committed)


def freshness(running: Stack, say: Say) -> dict[str, float | int | str]:
    """How long changes take from COMMIT to the contact, at SCHEDULE."""
    arrivals, stop = Arrivals(), threading.Event()
    clients = plain_clients(running, CHANGES)
    chance = random.Random(1)

    def change() -> None:
        for client, email in clients:
            if stop.wait(chance.uniform(*PAUSE)):
                return
            name = f"Fresh {client}"
            arrivals.awaited[email] = (name, rename(running, [client], name))

    changing = threading.Thread(target=change)
    changing.start()
    try:
        deadline = time.monotonic() + CHANGES * PAUSE[1] + RUN_SECONDS
        while len(arrivals.waits) < CHANGES:
            if time.monotonic() > deadline:
                raise FailedRunError(f"Only {len(arrivals.waits)} of {CHANGES} changes arrived")
            before = len(arrivals.waits)
            arrivals.look(running)
            for wait in arrivals.waits[before:]:
                say(f"Freshness: a change was visible after {wait:.1f} s")
            time.sleep(0.5)
    finally:
        stop.set()
        changing.join()
    waits = sorted(arrivals.waits)
    return {
        "freshness_p50_s": round(median(waits), 2),
        "freshness_p95_s": round(waits[min(len(waits) - 1, int(len(waits) * 0.95))], 2),
        "freshness_changes": CHANGES,
        "freshness_schedule": SCHEDULE,
    }

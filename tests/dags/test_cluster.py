"""Past one machine: a backfill on two Celery workers, one of which is killed in the middle.

The topology of docker-compose.yaml, started as `make cluster` starts it, with fewer clients.
"""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from local.airflow_stack.celery import CONCURRENCY
from local.demo.cluster import SLICES, VICTIM, WORKERS, start
from local.demo.sync import DAG_ID, SYNC
from local.stack.runs import wait
from local.stack.system import Stack
from local.stack.workers import kill_in_the_middle, tasks_by_worker
from tests.support.airflow_home import ROOT
from tests.support.stacks import lives, processes_of, why_failed, wrong_contacts

pytestmark = [
    pytest.mark.slow,
    pytest.mark.airflow,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("airflow"),
]

CLIENTS = 10_000
RUN_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Backfill:
    """A backfill that has ended, and the tasks that the killed worker was at."""

    stack: Stack
    run_id: str
    lost: list[str]

    def rows(self) -> list[dict[str, Any]]:
        """Return Airflow's task instances of the mapped task that was hit."""
        rows = self.stack.airflow.api.task_instances(DAG_ID, self.run_id)
        return [row for row in rows if row["task_id"] == "stage_clients"]


@pytest.fixture(scope="module")
def backfill() -> Iterator[Backfill]:
    """A backfill in the middle of which a worker was killed; no process may outlive the stack."""
    before = set(psutil.Process().children(recursive=True))
    with start(clients=CLIENTS, seed=2, name="cluster-test", say=print) as stack:
        run_id = stack.trigger(DAG_ID, {"mode": "full", "reason": "first load"})
        lost = kill_in_the_middle(
            stack, DAG_ID, run_id, task_id="stage_clients", victim=VICTIM, seconds=RUN_SECONDS
        )
        state = wait(stack, DAG_ID, run_id, seconds=RUN_SECONDS)
        assert state == "success", why_failed(stack, run_id)
        yield Backfill(stack, run_id, lost)
        processes = set(processes_of(stack)) - before
    assert [process for process in processes if lives(process)] == []


def test_both_workers_take_part_in_a_backfill(backfill: Backfill) -> None:
    """Slices are mapped tasks that any worker may take."""
    by_worker = tasks_by_worker(backfill.stack, DAG_ID, backfill.run_id, "success")
    assert sorted(by_worker) == sorted(WORKERS)
    slices = [row["hostname"] for row in backfill.rows()]
    assert len(slices) == SLICES
    assert set(slices) == set(WORKERS)


def test_a_worker_imports_what_tasks_need_before_it_forks_them(backfill: Backfill) -> None:
    """So that each task has it at once: seen in what the worker's processes have mapped."""
    survivor = next(name for name in WORKERS if name != VICTIM)
    worker = psutil.Process(backfill.stack.airflow.processes.pid(survivor))
    maps = [Path(f"/proc/{one.pid}/maps").read_text("utf-8") for one in worker.children()]
    assert sum("libarrow" in text for text in maps) == CONCURRENCY  # another one isn't for tasks


def test_G6_what_a_killed_worker_was_at_is_done_by_the_other(backfill: Backfill) -> None:
    """Its tasks come again once their heartbeat is missed."""
    again = {f"stage_clients[{row['map_index']}]": row for row in backfill.rows()}
    assert backfill.lost
    for name in backfill.lost:
        assert again[name]["try_number"] > 1, f"{name} was not tried again"
        assert again[name]["hostname"] != VICTIM
    assert all(row["state"] == "success" for row in again.values())


def test_G6_every_contact_is_right_after_a_worker_was_killed(backfill: Backfill) -> None:
    """Every client was read once, every contact sent once, nothing is left pending."""
    (report,) = backfill.stack.status(SYNC)["runs"]
    assert (report["state"], report["counts"]["read"]) == ("succeeded", CLIENTS)
    assert report["books"]["pending"] == 0
    assert sum(job["rows"] for job in report["jobs"]) == report["counts"]["sent"]
    assert wrong_contacts(backfill.stack, CLIENTS) == []


@pytest.mark.parametrize("service", ["dag-processor", "triggerer"])
def test_the_health_checks_of_the_compose_file_pass(backfill: Backfill, service: str) -> None:
    """Those that ask Airflow; the workers' ping has been answered before the backfill began."""
    file = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))
    command = file["services"][service]["healthcheck"]["test"][1].replace("$$", "$")
    words = shlex.split(command.replace("$HOSTNAME", socket.gethostname()))
    program = Path(sys.executable).parent / words[0]
    done = subprocess.run(
        [program, *words[1:]],
        env=backfill.stack.airflow.settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr

"""`make cluster`: a backfill on two Celery workers, one of which is killed in the middle.

The topology of docker-compose.yaml on one machine and without Docker: Redis, two Celery workers,
scheduler, triggerer, dag processor and API server against an own PostgreSQL and the SendGrid
emulator. Afterwards every contact is compared with a second, independent working out of what it
must be. Ends with status 0 only if both workers took part, one was killed, and every contact is
right; leaves no process behind.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import yaml

from local.demo.run import contacts_are_right, follow
from local.demo.sync import DAG_ID
from local.stack.console import Console, run_until_ended
from local.stack.directory import ROOT
from local.stack.system import Say, Stack
from local.stack.workers import kill_in_the_middle, tasks_by_worker, wait_for_workers

CLIENTS = 200_000
SLICES = 20
BATCHES = 4
WORKERS = ("worker-1", "worker-2")
VICTIM = WORKERS[1]
RUN_SECONDS = 1200.0
DEFINITION = Path("include", "syncs", "demo.yaml")


def main() -> int:
    """Read the command line and run the scenario."""
    parser = argparse.ArgumentParser(
        prog="python -m local.demo.cluster",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--clients", type=int, default=CLIENTS, help="default: %(default)s")
    add("--seed", type=int, default=1, help="of the clients' data (%(default)s)")
    add("--spare", action="store_true", help="kill no worker")
    options = parser.parse_args()
    work = partial(show, clients=options.clients, seed=options.seed, spare=options.spare)
    return run_until_ended(work)


def show(console: Console, *, clients: int, seed: int, spare: bool) -> int:
    """Start the stack, show the backfill and return the exit status."""
    console.say(f"Starting PostgreSQL, the SendGrid emulator, Airflow and {len(WORKERS)} workers")
    with start(clients=clients, seed=seed, name="cluster", say=console.say) as stack:
        right = backfill(stack, console, spare=spare)
        console.say("Stopping everything")
    console.say("Stopped; no process is left behind")
    if not right:
        console.say(f"The cluster failed, see above. The logs are in {stack.directory}")
    return 0 if right else 1


@contextmanager
def start(*, clients: int, seed: int, name: str, say: Say) -> Iterator[Stack]:
    """Start a stack with the two workers, and slices so small that both have work."""
    with tempfile.TemporaryDirectory(prefix="contact-sync-cluster-") as folder:
        deployment = deploy(Path(folder), clients=clients)
        with Stack.start(
            name=name, clients=clients, seed=seed, say=say, deployment=deployment, workers=WORKERS
        ) as stack:
            wait_for_workers(stack, WORKERS)
            stack.wait_for_dag(DAG_ID)
            stack.unpause(DAG_ID)
            yield stack


def backfill(stack: Stack, console: Console, *, spare: bool) -> bool:
    """Run the backfill, kill a worker in its middle; return whether everything is right."""
    console.say(f"1. Backfill: every client, in {SLICES} slices and {BATCHES} batches")
    run_id = stack.trigger(DAG_ID, {"mode": "full", "reason": "cluster"})
    if not spare:
        lost = kill_in_the_middle(
            stack, DAG_ID, run_id, task_id="stage_clients", victim=VICTIM, seconds=RUN_SECONDS
        )
        console.say(f"2. {VICTIM} is killed by SIGKILL while at {', '.join(lost)}")
    succeeded = follow(stack, console, run_id, seconds=RUN_SECONDS)
    for worker, done in sorted(tasks_by_worker(stack, DAG_ID, run_id, "success").items()):
        console.say(f"  {worker} ended {len(done)} tasks")
    if not succeeded:
        return False
    console.say("3. Comparing every contact with what it must be; this takes a while")
    return contacts_are_right(stack, console)


def deploy(directory: Path, *, clients: int) -> Path:
    """Copy what a deployment has, with smaller slices and batches: one machine shows many tasks."""
    for name in ("dags", "plugins", "include"):
        shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
    path = directory / DEFINITION
    definition = yaml.safe_load(path.read_text(encoding="utf-8"))
    definition["tuning"] |= {
        "slice_clients": -(-clients // SLICES),
        "csv_batch_contacts": -(-clients // BATCHES),
    }
    path.write_text(yaml.safe_dump(definition, sort_keys=False), encoding="utf-8")
    return directory


if __name__ == "__main__":
    sys.exit(main())

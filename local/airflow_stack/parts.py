"""Which processes an Airflow consists of: on one machine alone, or with Redis and Celery workers.

Pure, and standard library only: keeper.py starts them and stays small.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

AIRFLOW = (sys.executable, "-m", "airflow")
WORKER_NAME = "CLUSTER_WORKER"  # environment variable of a Celery worker's processes


@dataclass(frozen=True, slots=True)
class Part:
    """A process to be kept up. When it ends by itself all others end, unless `may_end`."""

    name: str
    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    may_end: bool = False


MIGRATION = Part("db-migrate", (*AIRFLOW, "db", "migrate"))
SERVERS = (
    Part("api-server", (*AIRFLOW, "api-server")),
    # No server for the log files: the API server reads them itself on the same machine, and that
    # server would listen on every network interface.
    Part("scheduler", (*AIRFLOW, "scheduler", "--skip-serve-logs")),
    Part("dag-processor", (*AIRFLOW, "dag-processor")),
    Part("triggerer", (*AIRFLOW, "triggerer", "--skip-serve-logs")),
)


def redis(program: str, configuration: Path) -> Part:
    """Return the broker between the scheduler and the workers."""
    return Part("redis", (program, str(configuration)))


def celery_worker(name: str, concurrency: int) -> Part:
    """Return a Celery worker. It may end: the others take over what it leaves behind."""
    arguments = ("--celery-hostname", name, "--concurrency", str(concurrency), "--skip-serve-logs")
    environment = {
        WORKER_NAME: name,
        # So that Airflow tells the workers apart, as it does when each is a machine of its own.
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": f"{__name__}.{worker_name.__name__}",
    }
    return Part(name, (*AIRFLOW, "celery", "worker", *arguments), environment, may_end=True)


def worker_name() -> str:
    """Return the name of the Celery worker that this process belongs to."""
    return os.environ[WORKER_NAME]


def to_text(parts: Sequence[Part]) -> str:
    """Return the parts as one command line argument."""
    return json.dumps([asdict(part) for part in parts])


def from_text(text: str) -> list[Part]:
    """Return the parts that `to_text` wrote."""
    return [Part(**fields) for fields in json.loads(text)]

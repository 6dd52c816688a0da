"""What an Airflow with Celery workers needs besides settings.py: Redis and a few settings.

The names and values that a production set-up shares with this one are in docker-compose.yaml too;
tests/docker/test_compose.py compares them.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from sys import executable

from local.airflow_stack.parts import Part, celery_worker, redis
from local.airflow_stack.processes import AirflowError
from local.airflow_stack.settings import HOST

CELERY_SETTINGS = "contact_sync.airflow_edge.celery_settings.CELERY_SETTINGS"
CONCURRENCY = 2  # tasks that one worker runs at a time: two workers keep two cores busy
# Much shorter than in production, where a busy machine must not look like a dead one.
HEARTBEAT_TIMEOUT = 20
QUEUED_TIMEOUT = 30


@dataclass(frozen=True, slots=True)
class Celery:
    """Settings for all of Airflow's processes, and the processes that come on top."""

    environment: dict[str, str]
    parts: tuple[Part, ...]


def use_celery(directory: Path, workers: Sequence[str], *, port: int) -> Celery:
    """Return what makes Airflow use Celery workers of these names, with a Redis on `port`."""
    configuration, password = directory / "redis.conf", secrets.token_hex(24)
    write_redis_configuration(configuration, port=port, password=password)
    return Celery(
        celery_environment(
            broker=f"redis://:{password}@{HOST}:{port}/0", slots=CONCURRENCY * len(workers)
        ),
        (
            redis(find_redis(), configuration),
            *(celery_worker(name, CONCURRENCY) for name in workers),
        ),
    )


def celery_environment(*, broker: str, slots: int) -> dict[str, str]:
    """Return the settings that make Airflow give its tasks to Celery workers."""
    return {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        # No more than the workers can run: what they can't would only wait in state "queued".
        "AIRFLOW__CORE__PARALLELISM": str(slots),
        # The results go to Airflow's own database, which is the default.
        "AIRFLOW__CELERY__BROKER_URL": broker,
        # A worker imports what tasks need once, and not each task for itself.
        "AIRFLOW__CELERY__CELERY_CONFIG_OPTIONS": CELERY_SETTINGS,
        # Longer than any task: Redis hands out again what a worker hasn't finished by then.
        "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "7200",
        # A task whose worker was killed says nothing; it is given to another one after this.
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(HEARTBEAT_TIMEOUT),
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
        # A killed worker also takes tasks along that it had fetched and not begun.
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": str(QUEUED_TIMEOUT),
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
        "AIRFLOW__SCHEDULER__NUM_STUCK_IN_QUEUED_RETRIES": "5",
    }


def find_redis() -> str:
    """Return the path of redis-server: the one of requirements.txt, else the system's."""
    beside_python = str(Path(executable).parent)
    program = shutil.which("redis-server", path=beside_python) or shutil.which("redis-server")
    if program is None:
        raise AirflowError(
            "redis-server is missing. requirements.txt brings it for Python 3.11 and 3.12 on Linux "
            "x86-64 only; elsewhere install it. Debian and Ubuntu: apt-get install redis-server. "
            "macOS: brew install redis"
        )
    return program


def write_redis_configuration(path: Path, *, port: int, password: str) -> None:
    """Write the configuration of a Redis that listens on this machine and stores nothing."""
    path.touch(mode=0o600)
    lines = (
        f"bind {HOST}",
        f"port {port}",
        f"requirepass {password}",
        f"dir {path.parent}",
        'save ""',
        "appendonly no",
        "maxmemory-policy noeviction",
    )
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

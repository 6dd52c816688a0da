"""What a task needs, imported before its process is forked: by the scheduler with a LocalExecutor
(contact_sync_plugin.py), by a Celery worker (celery_settings.py).

Each task is a process of its own, which else spends most of a second of CPU on these imports,
longer than its work takes in most runs. Forked from a process that has them, it has them, too.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from airflow.configuration import conf

EDGE = ("approval", "handles", "lineage", "metrics", "notify", "operators", "schedules")
RUN = ("small_run", "start_run", "finish_run", "release_lease")
MODULES = (
    *("adbc_driver_postgresql.dbapi", "pandas", "psycopg", "pyarrow.compute", "pyarrow.csv"),
    *(f"contact_sync.airflow_edge.{name}" for name in EDGE),
    *(f"contact_sync.run.{name}" for name in RUN),
    *("contact_sync.lookup.chosen_clients", "contact_sync.state.for_people.syncs"),
)
"""Libraries, what the DAG's file imports, and the steps of a run."""


def forks_tasks(arguments: Sequence[str] = sys.argv) -> bool:
    """Whether this process forks those of tasks: `airflow scheduler` with a LocalExecutor."""
    executor = conf.get("core", "executor", fallback="")
    return tuple(arguments[1:2]) == ("scheduler",) and "LocalExecutor" in executor


def preload() -> None:
    """Import them all."""
    for name in MODULES:
        importlib.import_module(name)

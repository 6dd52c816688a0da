"""A private Airflow on this machine: API server, scheduler, dag processor and triggerer.

settings.py says how it is set up, processes.py owns its processes, api.py speaks to it. This module
puts the three together and waits until all parts are healthy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from local.airflow_stack.api import AirflowApi, AirflowApiError
from local.airflow_stack.parts import Part
from local.airflow_stack.processes import AirflowError, Processes, start_processes
from local.airflow_stack.settings import write_password_file

START_SECONDS = 180.0
QUIET_SECONDS = 5.0
LOOK_SECONDS = 0.25
# The names on Airflow's health page, and those of the parts that must be up for them.
PARTS = {
    "metadatabase": "api-server",
    "scheduler": "scheduler",
    "dag_processor": "dag-processor",
    "triggerer": "triggerer",
}


@dataclass(slots=True)
class AirflowServer:
    """A started Airflow. `settings` is the environment that all of its processes have."""

    home: Path
    settings: dict[str, str]
    processes: Processes
    api: AirflowApi

    @property
    def task_logs(self) -> Path:
        """The folder that Airflow writes the tasks' logs to."""
        return self.home / "logs"

    def wait_until_healthy(self, say: Callable[[str], None]) -> None:
        """Wait for all four parts, telling which are missing; AirflowError if one stays so."""
        deadline = time.monotonic() + START_SECONDS
        said_at, said = time.monotonic(), set(PARTS)
        while missing := self._unhealthy_parts():
            self.processes.check()
            now = time.monotonic()
            if now > deadline:
                raise AirflowError(self._too_slow(missing))
            if missing.keys() != said or now - said_at > QUIET_SECONDS:
                said_at, said = now, set(missing)
                say(f"Airflow is starting; not up yet: {', '.join(PARTS[p] for p in missing)}")
            time.sleep(LOOK_SECONDS)
        say(f"Airflow is up at {self.api.url}")

    def _unhealthy_parts(self) -> dict[str, str]:
        """Return the parts that are not up, each with what the health page says of it."""
        try:
            health = self.api.health()
        except AirflowApiError as error:
            return dict.fromkeys(PARTS, f"no answer: {error}")
        return {
            part: str(health.get(part, {}).get("status"))
            for part in PARTS
            if health.get(part, {}).get("status") != "healthy"
        }

    def _too_slow(self, missing: dict[str, str]) -> str:
        """Say which parts did not come up, and where to look."""
        names = [PARTS[part] for part in missing]
        logs = self.processes.logs
        first = names[0] if (logs / f"{names[0]}.log").exists() else "db-migrate"
        return (
            f"Airflow did not come up within {START_SECONDS:.0f} s. Not up: {', '.join(names)} "
            f"({next(iter(missing.values()))}). The log of {first} ends:\n"
            f"{self.processes.tail(first)}\n"
            f"All logs are in {logs}. If the machine was very busy, try again."
        )


def start_airflow(
    home: Path, settings: dict[str, str], parts: Sequence[Part], lock: IO[str]
) -> AirflowServer:
    """Start Airflow with the settings of airflow_settings.environment and return at once.

    `lock` stays locked until its processes have ended, even if this process is killed.
    """
    write_password_file(home)
    processes = start_processes(home / "parts", settings, parts, lock)
    api = AirflowApi(settings["AIRFLOW__API__BASE_URL"], explain=processes.check)
    return AirflowServer(home, settings, processes, api)

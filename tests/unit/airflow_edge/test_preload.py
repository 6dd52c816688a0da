"""What is imported ahead of the tasks, and by whom."""

from __future__ import annotations

import sys

import pytest

from contact_sync.airflow_edge.preload import MODULES, forks_tasks, preload


@pytest.mark.parametrize(
    ("command", "executor", "forks"),
    [
        ("airflow scheduler --skip-serve-logs", "LocalExecutor", True),
        ("airflow scheduler", "CeleryExecutor", False),
        ("airflow scheduler", "LocalExecutor,CeleryExecutor", True),
        ("airflow dag-processor", "LocalExecutor", False),
        ("airflow", "LocalExecutor", False),
    ],
)
def test_only_a_scheduler_that_forks_its_tasks_imports_ahead(
    monkeypatch: pytest.MonkeyPatch, command: str, executor: str, forks: bool
) -> None:
    """All other processes of Airflow would only get larger."""
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", executor)
    assert forks_tasks(command.split()) is forks


def test_what_is_imported_ahead_is_there() -> None:
    """A name that is gone would take the plugin's pages along."""
    preload()
    assert sys.modules.keys() >= set(MODULES)

"""What Airflow knows of a DAG run, read from its own database in the API server."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from sqlalchemy import func, select

from contact_sync.base.run_life import NOT_STARTED_KEY, NotStarted

UNFINISHED = ("queued", "running")
TASKS = (
    "start_run", "settle_earlier_runs", "check_setup", "read_suppressions", "select_clients",
    "stage_clients", "plan_batches", "approve_plan", "remove_excluded", "send_batch",
    "find_removals", "remove_batch", "finish_run", "release_lease",
)  # fmt: skip
"""Of a sync's DAG, in their order: of tasks that haven't begun, or were skipped at once."""


@dataclass(slots=True)
class TaskTimes:
    """One task of a DAG run, its mapped instances together; `states` counts them by state.
    `gives_up`: when Airflow ends its wait for an answer or a trigger; None = it doesn't wait."""

    task_id: str
    states: dict[str, int] = field(default_factory=dict)
    started: datetime | None = None
    ended: datetime | None = None
    tries: int = 0
    gives_up: datetime | None = None

    @property
    def seconds(self) -> float | None:
        """From the first start to the last end; None while it isn't over."""
        if self.started is None or self.ended is None:
            return None
        return max(0.0, (self.ended - self.started).total_seconds())


@dataclass(frozen=True, slots=True)
class SeenDagRun:
    """A DAG run: its state, its tasks in the order of their start, the first one that failed."""

    dag_id: str
    run_id: str
    state: str
    due: datetime
    started: datetime | None
    ended: datetime | None
    tasks: list[TaskTimes]
    failed: tuple[str, int] | None

    @property
    def unfinished(self) -> bool:
        """Whether it still changes."""
        return self.state in UNFINISHED


def seen_dag_run(dag_id: str, run_id: str) -> SeenDagRun | None:
    """The DAG run; None when there is none. Permissions are the caller's to check."""
    with create_session(scoped=False) as session:
        row = session.execute(
            select(DagRun.state, DagRun.run_after, DagRun.start_date, DagRun.end_date).where(
                DagRun.dag_id == dag_id, DagRun.run_id == run_id
            )
        ).one_or_none()
        if row is None:
            return None
        of_run = (TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id)
        times = session.execute(
            select(
                TaskInstance.task_id, TaskInstance.state, func.count(),
                func.min(TaskInstance.start_date), func.max(TaskInstance.end_date),
                func.max(TaskInstance.try_number), func.max(TaskInstance.trigger_timeout),
            ).where(*of_run).group_by(TaskInstance.task_id, TaskInstance.state)
        ).all()  # fmt: skip
        failed = session.execute(
            select(TaskInstance.task_id, TaskInstance.map_index)
            .where(*of_run, TaskInstance.state == "failed")
            .order_by(TaskInstance.end_date)
            .limit(1)
        ).one_or_none()
    return SeenDagRun(
        dag_id, run_id, str(row.state), row.run_after, row.start_date, row.end_date,
        _by_task(times),
        (failed.task_id, failed.map_index) if failed else None,
    )  # fmt: skip


def not_started(dag_id: str, run_id: str) -> str:
    """Why the DAG run has started no run, a code of NotStarted; "" = it isn't known."""
    with create_session(scoped=False) as session:
        found = session.scalar(
            select(XComModel.value).where(
                XComModel.dag_id == dag_id,
                XComModel.run_id == run_id,
                XComModel.task_id == "start_run",
                XComModel.key == NOT_STARTED_KEY,
            )
        )
    code = str(found or "").strip('"')
    return code if code in list(NotStarted) else ""


def task_label(dag_id: str, run_id: str, task_id: str, map_index: int) -> str:
    """What a mapped task is called in Airflow, such as "batch 12"; "" when it has no name."""
    label: Any = TaskInstance.rendered_map_index  # a hybrid: a column here
    with create_session(scoped=False) as session:
        found = session.scalar(
            select(label).where(
                TaskInstance.dag_id == dag_id,
                TaskInstance.run_id == run_id,
                TaskInstance.task_id == task_id,
                TaskInstance.map_index == map_index,
            )
        )
    return str(found or "")


def _by_task(rows: Any) -> list[TaskTimes]:
    found: dict[str, TaskTimes] = {}
    ends: dict[str, list[datetime | None]] = defaultdict(list)
    for task_id, state, instances, started, ended, tries, gives_up in rows:
        task = found.setdefault(task_id, TaskTimes(task_id))
        task.states[str(state or "not started")] = instances
        task.tries = max(task.tries, tries or 0)
        task.gives_up = gives_up or task.gives_up
        if started and (task.started is None or started < task.started):
            task.started = started
        if state != "skipped" or started:
            ends[task_id].append(ended)
    for task_id, moments in ends.items():
        known = [moment for moment in moments if moment]
        found[task_id].ended = max(known) if known and len(known) == len(moments) else None
    return sorted(found.values(), key=_order)


def _order(task: TaskTimes) -> tuple[bool, float, int]:
    place = TASKS.index(task.task_id) if task.task_id in TASKS else len(TASKS)
    return task.started is None, task.started.timestamp() if task.started else 0.0, place

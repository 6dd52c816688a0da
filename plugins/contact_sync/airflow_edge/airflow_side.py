"""What keeps a DAG run from going on, read from Airflow's own database in the API server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from airflow.jobs.job import most_recent_job
from airflow.models.dag import DagModel
from airflow.models.log import Log
from airflow.models.pool import Pool
from airflow.models.taskinstance import TaskInstance
from airflow.models.taskinstancehistory import TaskInstanceHistory
from airflow.utils.session import create_session
from sqlalchemy import func, select

from contact_sync.airflow_edge.by_hand import paused_by
from contact_sync.airflow_edge.installation import TRIGGERER
from contact_sync.reporting.waiting import AirflowSide, OpenTask, PoolRoom

OPEN = ("scheduled", "queued", "running", "restarting", "deferred", "up_for_retry",
        "up_for_reschedule", "awaiting_input")  # fmt: skip
WAITING = ("deferred", "awaiting_input")
LISTED = 50
SCHEDULER = "SchedulerJob"
MISMATCH, SILENT = "state mismatch", "heartbeat timeout"
"""What Airflow notes of a try whose process ended without a word, as its executor or its heartbeat
shows. A mismatch is also noted of a task that was deferred and came back before its executor had
said so: that one is queued again by then (scheduler_job_runner.process_executor_events)."""
STILL_RUNNING = "state attribute is running"


def airflow_side(
    dag_id: str, run_id: str, state: str, since: datetime, *, names: bool
) -> AirflowSide:
    """Of an unfinished DAG run in this state, due since then. `names`: who paused it may be told.
    Permissions are the caller's to check."""
    label: Any = TaskInstance.rendered_map_index  # a hybrid: a column here
    of_run = (TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id)
    with create_session(scoped=False) as session:
        is_paused = bool(
            session.scalar(select(DagModel.is_paused).where(DagModel.dag_id == dag_id))
        )
        rows = session.execute(
            select(
                TaskInstance.task_id, TaskInstance.map_index, label.label("label"),
                TaskInstance.state, TaskInstance.try_number, TaskInstance.max_tries,
                TaskInstance.pool, TaskInstance.start_date, TaskInstance.end_date,
                TaskInstance.queued_dttm, TaskInstance.scheduled_dttm,
                TaskInstance.trigger_timeout, TaskInstance.retry_delay_override,
                TaskInstance.retry_reason,
            ).where(*of_run, TaskInstance.state.in_(OPEN))
            .order_by(TaskInstance.start_date, TaskInstance.task_id, TaskInstance.map_index)
            .limit(LISTED)
        ).all()  # fmt: skip
        number = session.scalar(
            select(func.count()).select_from(TaskInstance).where(
                *of_run, TaskInstance.state.in_(OPEN)
            )
        )  # fmt: skip
        killed = _killed(session, dag_id, run_id, since)
        return AirflowSide(
            state,
            is_paused,
            paused_by(session, dag_id, names=names) if is_paused else (),
            _is_alive(session, SCHEDULER),
            _is_alive(session, TRIGGERER),
            _pools(session, {row.pool for row in rows}),
            [_open_task(row, killed) for row in rows],
            max(0, (number or 0) - len(rows)),
        )


def killed_tasks(dag_id: str, run_id: str, since: datetime) -> dict[str, int]:
    """How many tries of each task ended without a word since then, because their process was
    killed."""
    found: Counter[str] = Counter()
    with create_session(scoped=False) as session:
        for (task_id, _), tries in _killed(session, dag_id, run_id, since).items():
            found[task_id] += tries
    return dict(found)


def reason_of_try(dag_id: str, run_id: str, task_id: str, map_index: int) -> str:
    """Why the newest try of a task failed of which Airflow has kept that, as its retry policy said;
    "" = none. Of the last try it keeps nothing."""
    past = TaskInstanceHistory
    query = (
        select(past.retry_reason)
        .where(past.dag_id == dag_id, past.run_id == run_id, past.task_id == task_id,
               past.map_index == map_index, past.retry_reason.is_not(None))
        .order_by(past.try_number.desc())
        .limit(1)
    )  # fmt: skip
    with create_session(scoped=False) as session:
        return str(session.scalar(query) or "")


def _open_task(row: Any, killed: dict[tuple[str, int], int]) -> OpenTask:
    """Of a row of the query above."""
    is_retried, delay = row.state == "up_for_retry", row.retry_delay_override
    begins = row.end_date + timedelta(seconds=delay) if row.end_date and delay else None
    label = str(row.label or "")  # a task that hasn't begun has its index for a name
    if label == str(row.map_index):
        label = f"map index {row.map_index}" if row.map_index >= 0 else ""
    is_queued = row.state in ("scheduled", "queued")
    return OpenTask(
        row.task_id,
        label,
        str(row.state),
        row.try_number,
        row.max_tries + 1,
        row.pool,
        (row.queued_dttm or row.scheduled_dttm) if is_queued else row.start_date,
        begins if is_retried else None,
        row.retry_reason or "" if is_retried else "",
        killed.get((row.task_id, row.map_index), 0),
        row.trigger_timeout if row.state in WAITING else None,
    )


def _killed(session: Any, dag_id: str, run_id: str, since: datetime) -> dict[tuple[str, int], int]:
    """By task and map index."""
    rows = session.execute(
        select(Log.event, Log.task_id, Log.map_index, Log.try_number, Log.extra).where(
            Log.dag_id == dag_id,
            Log.run_id == run_id,
            Log.event.in_((MISMATCH, SILENT)),
            Log.dttm >= since,
        )
    ).all()
    tries = {
        (row.task_id, -1 if row.map_index is None else row.map_index, row.try_number)
        for row in rows
        if row.event == SILENT or STILL_RUNNING in (row.extra or "")
    }
    return dict(Counter((task, index) for task, index, _ in tries))


def _is_alive(session: Any, kind: str) -> bool:
    job = most_recent_job(kind, session=session)
    return job is not None and job.is_alive()


def _pools(session: Any, names: Iterable[str]) -> dict[str, PoolRoom | None]:
    found: dict[str, PoolRoom | None] = {}
    for name in names:
        pool = Pool.get_pool(name, session=session)
        found[name] = pool and PoolRoom(pool.slots, pool.occupied_slots(session=session))
    return found

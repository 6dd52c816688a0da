"""What is told of a task that fails: the error, what its run had sent, what comes of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from airflow.sdk import get_current_context
from airflow.sdk.configuration import conf

from contact_sync.airflow_edge.installation import time_zone
from contact_sync.base.errors import FatalError, SyncError
from contact_sync.base.numbers import count
from contact_sync.config.files import read_definition
from contact_sync.reporting.failure import (
    NOT_BEGUN,
    NOT_KNOWN,
    VERIFICATION,
    Failure,
    cause_of,
    next_run,
    sent_by,
)
from contact_sync.reporting.watching import schedule_in_words


def failure_of(name: str, sync_run_id: int | None, error: SyncError) -> Failure:
    """Of the task that is at work. `sync_run_id` None = it is about no run of the sync."""
    ti: Any = get_current_context()["ti"]
    again = not isinstance(error, FatalError) and tries_left()
    if again:
        by_itself = (
            f"Airflow tries this task again, in some seconds to minutes: so far {ti.try_number:,} "
            f"of {count(ti.max_tries + 1, 'try', 'tries')}"
        )
        to_do = "Nothing, if it passes. If it lasts, correct what is named above"
    else:
        by_itself = _next_run(name, ti.dag_id)
        to_do = f"Correct what is named above, then trigger a new run: {dag_link(ti.dag_id)}"
    is_run = ti.dag_id == f"contact_sync_{name}"
    sent = _sent(name, sync_run_id) if is_run else VERIFICATION
    return Failure(_cause(name, error), sent, by_itself, to_do)


def tries_left() -> bool:
    """Whether Airflow tries the task at work again after a retryable error."""
    ti: Any = get_current_context()["ti"]
    return bool(ti.try_number <= ti.max_tries)


def red_tasks(context: Any) -> list[str]:
    """The tasks of the DAG run that failed themselves, without the one that asks."""
    ti: Any = context["ti"]
    states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id]).get(ti.run_id, {})
    return sorted(
        task for task, state in states.items() if state == "failed" and task != ti.task_id
    )


def dag_link(dag_id: str) -> str:
    """Where its runs are started."""
    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    return f"{base}/dags/{quote(dag_id, safe='')}"


def _cause(name: str, error: SyncError) -> str:
    try:
        return cause_of(error, read_definition(name).connections)
    except SyncError:  # the definition may be what is wrong
        return str(error)


def _next_run(name: str, dag_id: str) -> str:
    try:
        definition = read_definition(name)
    except SyncError:  # it may be what is wrong
        return next_run(None)
    zone = time_zone()
    if dag_id == definition.verify_dag_id:
        schedule = definition.verify.schedule if definition.enabled else None
        return next_run(f"{schedule} in {zone}" if schedule else None)
    has_times = definition.schedule and definition.sends
    return next_run(schedule_in_words(definition, zone) if has_times else None)


def _sent(name: str, sync_run_id: int | None) -> str:
    if sync_run_id is None:
        return NOT_BEGUN
    from contact_sync.airflow_edge.handles import open_state
    from contact_sync.state.for_people.runs import run_of_id

    try:
        with open_state(read_definition(name)).transaction() as cursor:
            return sent_by(run_of_id(cursor, name, sync_run_id))
    except SyncError:  # the error itself says so, or hides nothing by this one
        return NOT_KNOWN

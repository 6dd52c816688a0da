"""A person marks a run or a task in Airflow: both sides end red, and nothing is lost."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from airflow.api.common.mark_tasks import set_dag_run_state_to_failed
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.definitions import dag as sdk_dag
from airflow.serialization.definitions.dag import SerializedDAG
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.session import create_session
from airflow.utils.state import TaskInstanceState

from contact_sync.base.failpoints import SIGNAL_VARIABLE, VARIABLE
from contact_sync.base.vocabulary import RunKind
from contact_sync.base.words import ENDED_BY_HAND, NO_CAUSE
from contact_sync.run.release_lease import release_lease
from contact_sync.run.start_run import start_run
from tests.support.airflow_home import ROOT
from tests.support.world import World

pytestmark = pytest.mark.airflow

SLOW = pytest.mark.slow
SOME = ("start_run", "approve_plan", "finish_run")
ALL = (*SOME, "select_clients", "stage_clients", "plan_batches", "send_batch")
MARKED = [task if task in SOME else pytest.param(task, marks=SLOW) for task in ALL]


def run_dag(mode: str = "full", **options: Any) -> tuple[str, dict[str, str]]:
    """Run the demo's DAG; returns its state and those of its tasks."""
    dag = DagBag(str(ROOT / "dags")).dags["contact_sync_demo"]
    for task in dag.tasks:
        task.retries = 0
    run = dag.test(run_conf={"mode": mode}, **options)
    return str(run.state), {ti.task_id: str(ti.state) for ti in run.get_task_instances()}


def assert_red_and_free(world: World, state: str, tasks: dict[str, str]) -> None:
    """Airflow, the report and the lease; the cause names a red task only if there is one."""
    assert (state, tasks["release_lease"]) == ("failed", "failed")
    others = [task for task, found in tasks.items() if found == "failed"]
    if world.state("SELECT 1 FROM contact_sync.run"):
        report = world.report()
        assert report["state"] == "failed"
        assert (report["cause"] == ENDED_BY_HAND) == (others == ["release_lease"])
        assert report["cause"] != NO_CAUSE
    with world.sync() as sync:  # LeaseBusy otherwise
        release_lease(sync, start_run(sync, RunKind.FULL, holder="the next one"), "ended")
    world.run()
    world.assert_converged()


@pytest.mark.parametrize("task", MARKED)
def test_a_task_that_is_marked_as_success_leaves_no_green_lie(connected: World, task: str) -> None:
    """Before it has begun, so that its work isn't done."""
    connected.seed()
    state, tasks = run_dag(mark_success_pattern=f"^{task}$")
    assert tasks[task] == "success"
    assert_red_and_free(connected, state, tasks)


@pytest.mark.parametrize("before", ["send_batch", pytest.param("select_clients", marks=SLOW)])
def test_a_run_that_is_marked_as_failed_ends_red_here_too(
    connected: World, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    """With Airflow's own function, just before a task begins: all but the last one are skipped."""
    run_task = sdk_dag._run_task

    def mark_or_run(*, ti: Any, **options: Any) -> Any:
        if ti.task_id != before:
            return run_task(ti=ti, **options)
        with create_session() as session:
            set_dag_run_state_to_failed(
                dag=serialized, run_id=ti.run_id, commit=True, session=session
            )
        return None

    dag = DagBag(str(ROOT / "dags")).dags["contact_sync_demo"]
    serialized = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    assert isinstance(serialized, SerializedDAG)
    monkeypatch.setattr(sdk_dag, "_run_task", mark_or_run)
    connected.seed()
    state, tasks = run_dag()
    assert (tasks[before], tasks["finish_run"]) == ("skipped", "skipped")
    assert_red_and_free(connected, state, tasks)


@pytest.mark.parametrize(
    "mark", [TaskInstanceState.SUCCESS, pytest.param(TaskInstanceState.FAILED, marks=SLOW)]
)
def test_a_task_that_is_marked_while_it_waits_leaves_no_green_lie(
    connected: World, monkeypatch: pytest.MonkeyPatch, mark: TaskInstanceState
) -> None:
    """Its batch has left, and nobody follows the job any more: the next run settles it."""
    run_task, marked = sdk_dag._run_task, []

    def run_and_mark(*, ti: Any, **options: Any) -> Any:
        if ti.task_id != "send_batch":
            return run_task(ti=ti, **options)
        result = run_task(ti=ti, **options | {"run_triggerer": False})
        marked.append(ti.state)
        ti.set_state(mark)
        return result

    monkeypatch.setattr(sdk_dag, "_run_task", run_and_mark)
    connected.emulator.admin.settings(delay=1)  # longer than the task looks before it defers
    connected.seed()
    state, tasks = run_dag()
    assert marked == [TaskInstanceState.DEFERRED]
    assert tasks["send_batch"] == mark
    assert_red_and_free(connected, state, tasks)


@pytest.mark.parametrize(
    ("mode", "task", "point", "mark"),
    [
        ("incremental", "start_run", "upserted_not_stored", TaskInstanceState.FAILED),
        *(pytest.param(*case, marks=SLOW) for case in (
            ("full", "send_batch", "upserted_not_stored", TaskInstanceState.SUCCESS),
            ("full", "send_batch", "upsert_announced", TaskInstanceState.FAILED),
            ("full", "finish_run", "finish_uncommitted", TaskInstanceState.SUCCESS),
        )),
    ],
)  # fmt: skip
def test_P15_a_task_that_is_marked_while_it_works_leaves_no_green_lie(
    connected: World, monkeypatch: pytest.MonkeyPatch, mode: str, task: str, point: str,
    mark: TaskInstanceState,
) -> None:  # fmt: skip
    """Airflow ends its process then, wherever it is: also one that does several steps."""
    run_task = sdk_dag._run_task

    def end_process(*_signal: object) -> None:
        monkeypatch.delenv(VARIABLE)
        raise SystemExit(1)

    def run_and_mark(*, ti: Any, **options: Any) -> Any:
        result = run_task(ti=ti, **options)
        if ti.task_id == task:
            assert VARIABLE not in os.environ
            ti.set_state(mark)
        return result

    monkeypatch.setattr(sdk_dag, "_run_task", run_and_mark)
    monkeypatch.setenv(VARIABLE, point)
    monkeypatch.setenv(SIGNAL_VARIABLE, "USR1")
    before = signal.signal(signal.SIGUSR1, end_process)
    connected.seed()
    if mode == "incremental":
        with monkeypatch.context() as unkilled:
            unkilled.delenv(VARIABLE)
            connected.run()
        connected.change()
    try:
        state, tasks = run_dag(mode)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert tasks[task] == mark
    assert_red_and_free(connected, state, tasks)

"""O, P: what Airflow keeps about a run, and what a task does that is cleared long afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.models.renderedtifields import RenderedTaskInstanceFields
from airflow.models.xcom import XComModel
from airflow.sdk.exceptions import AirflowFailException
from airflow.utils.session import create_session

from contact_sync.airflow_edge import tasks
from contact_sync.airflow_edge.approval import ApprovePlanOperator
from contact_sync.airflow_edge.operators import SendBatchOperator, SettleEarlierRunsOperator
from tests.dags.test_failed_tasks import at_work
from tests.support.airflow_home import ROOT
from tests.support.steps import everything
from tests.support.world import World

pytestmark = pytest.mark.airflow

OLD: dict[str, Callable[[int], object]] = {
    "settle_earlier_runs": lambda run_id: SettleEarlierRunsOperator(
        task_id="settle", sync_name="demo", sync_run_id=run_id
    ).execute({}),
    "check_setup": lambda run_id: tasks.check_setup("demo", run_id),
    "select_clients": lambda run_id: tasks.select_clients("demo", run_id),
    "stage_clients": lambda run_id: tasks.stage_clients("demo", run_id, 0),
    "plan_batches": lambda run_id: tasks.plan_batches("demo", run_id),
    "send_batch": lambda run_id: SendBatchOperator(
        task_id="send", sync_name="demo", sync_run_id=run_id, batch_id=1
    ).execute({}),
    "approve_plan": lambda run_id: ApprovePlanOperator(
        task_id="approve", sync_name="demo", start_task_id="start", hours=1
    ).execute({"ti": SimpleNamespace(xcom_pull=lambda **_: run_id)}),
    "find_former_addresses": lambda run_id: tasks.find_removals("demo", run_id),
    "finish_run": lambda run_id: tasks.finish_run("demo", run_id),
}
"""What each task of the DAG does when it is run again for an old run."""


def run_demo(**conf: Any) -> str:
    """Run the demo's DAG; returns its state."""
    dag = DagBag(str(ROOT / "dags")).dags["contact_sync_demo"]
    for task in dag.tasks:
        task.retries = 0
    return str(dag.test(run_conf=conf).state)


def all_but_causes(world: World) -> list[Any]:
    """All that is stored and sent, without the remarks that a refused task leaves at its run."""
    _, _, *rest = everything(world)
    runs = "SELECT run_id, state, result, finished_at FROM contact_sync.run ORDER BY 1"
    return [world.state("SELECT * FROM contact_sync.sync"), world.state(runs), *rest]


def is_plain(value: Any) -> bool:
    """Ids and counts: numbers, and lists or names of them; no text of a client fits in."""
    if isinstance(value, dict):
        return all(key.isidentifier() and is_plain(found) for key, found in value.items())
    if isinstance(value, list):
        return all(map(is_plain, value))
    return value is None or isinstance(value, int)


def test_P07_P09_O06_airflow_keeps_ids_and_counts_and_none_is_needed(connected: World) -> None:
    """Whatever is in XCom and rendered fields; with all of it deleted, the next run goes on."""
    connected.seed()
    assert run_demo(mode="full") == "success"
    with create_session() as session:
        pushed = {
            (row.task_id, row.key): row.value
            for row in session.query(XComModel).filter(XComModel.task_id != "")
        }
        rendered = [row.rendered_fields for row in session.query(RenderedTaskInstanceFields)]
        assert {task for task, _ in pushed} >= {"start_run", "select_clients", "plan_batches"}
        values = [json.loads(v) if isinstance(v, str) else v for v in pushed.values()]
        assert [value for value in values if not is_plain(value)] == []
        assert not any("example.com" in json.dumps(fields, default=str) for fields in rendered)
        session.query(XComModel).delete()
        session.query(RenderedTaskInstanceFields).delete()
    connected.change()
    assert run_demo() == "success"
    connected.assert_converged()


def test_O05_a_cleared_task_of_an_old_run_is_refused(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow isn't told to try again, and nothing changes."""
    at_work(monkeypatch, 1)
    connected.seed()
    connected.run()
    old = connected.report()["id"]
    connected.run()
    before = all_but_causes(connected)
    for name, task in OLD.items():
        with pytest.raises(AirflowFailException, match=r"is over \(succeeded\).*Trigger a new run"):
            task(old)
        assert all_but_causes(connected) == before, name
    tasks.release_lease("demo", old)
    assert all_but_causes(connected) == before

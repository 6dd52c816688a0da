"""A run's page while it is at work: what Airflow and the state database say of why it waits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from airflow.models.dagrun import DagRun
from airflow.models.log import Log
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.timezone import utcnow
from airflow.utils.session import create_session
from sqlalchemy import delete, insert

from contact_sync.airflow_edge import handles, tasks
from contact_sync.airflow_edge.access import Viewer
from contact_sync.base.vocabulary import RunKind
from contact_sync.config.files import read_definition
from contact_sync.reporting.run_story import holder_of
from contact_sync.run.release_lease import release_lease
from contact_sync.run.start_run import start_run
from tests.support.rendered import Glance, Show
from tests.support.world import World

pytestmark = pytest.mark.airflow

DAG_ID, RUN_ID = "contact_sync_demo", "manual__live"
REPORT = f"/report?dag_id={DAG_ID}&run_id={RUN_ID}"
HOLDER = f"{holder_of(DAG_ID, RUN_ID)}2026-11-28"


class OneDagRun:
    """A DAG run of the demo's DAG in Airflow's database, as its scheduler leaves it."""

    def __init__(self, session: Any) -> None:
        self._session = session
        session.execute(
            insert(DagRun).values(
                dag_id=DAG_ID, run_id=RUN_ID, run_type="manual", state="running",
                run_after=utcnow() - timedelta(hours=1), start_date=utcnow(),
            )
        )  # fmt: skip
        session.commit()

    def is_now(self, state: str) -> None:
        """It comes into this state."""
        self._session.execute(DagRun.__table__.update().values(state=state, end_date=utcnow()))
        self._session.commit()

    def task(self, task_id: str, state: str, **columns: Any) -> None:
        """One of its tasks is in this state."""
        row = {"map_index": -1, "try_number": 1, "max_tries": 3, "pool": "sendgrid"} | columns
        row |= {"id": uuid4(), "dag_id": DAG_ID, "run_id": RUN_ID, "task_id": task_id}
        self._session.execute(insert(TaskInstance).values(state=state, **row))
        self._session.commit()

    def note(self, event: str, owner: str, task_id: str | None = None, **extra: Any) -> None:
        """Airflow's audit log notes something."""
        said = extra.pop("said", None) or json.dumps(extra)
        self._session.add(
            Log(event, owner=owner, dag_id=DAG_ID, run_id=RUN_ID, task_id=task_id, try_number=1,
                extra=said)
        )  # fmt: skip
        self._session.commit()

    def result(self, task_id: str, key: str, value: Any) -> None:
        """A task has left a result."""
        XComModel.set(key, value, dag_id=DAG_ID, task_id=task_id, run_id=RUN_ID,
                      session=self._session)  # fmt: skip
        self._session.commit()


@pytest.fixture
def dag_run(connected: World) -> Iterator[OneDagRun]:
    """One DAG run, which nobody works on."""
    with create_session() as session:
        yield OneDagRun(session)
        for table in (XComModel, TaskInstance, DagRun, Log):
            session.execute(delete(table).where(table.run_id == RUN_ID))


def test_O12_a_waiting_run_says_what_airflow_waits_for(
    connected: World, dag_run: OneDagRun, shown: Show, glance: Glance
) -> None:
    """Tried again with when and why, a triggerer that is down, a pool that isn't there; and that
    a person has to do something."""
    connected.seed()
    with connected.sync() as sync:
        start_run(sync, RunKind.FULL, holder=HOLDER)
    dag_run.task("check_setup", "up_for_retry", end_date=utcnow(), retry_delay_override=600.0,
                 retry_reason="SendGrid answered <b>503</b>")  # fmt: skip
    said = glance("viewer", REPORT)
    assert "check_setup has failed and is tried again: try 2 of 4 at " in said
    assert "because of this: SendGrid answered <b>503</b>." in said
    assert "No scheduler of Airflow is alive" in said
    dag_run.task("send_batch", "deferred", map_index=0, trigger_timeout=utcnow())
    dag_run.task("stage_clients", "scheduled", map_index=0, pool="elsewhere")
    for state in ("running", "queued"):  # the second one came back from a deferral too soon
        noted = f"finished with state success, but the task instance's state attribute is {state}."
        dag_run.note("state mismatch", "airflow", "send_batch" if state == "running" else "x",
                     said=noted)  # fmt: skip
    said = shown("viewer", REPORT)
    assert "No triggerer of Airflow is alive" in said
    assert "stage_clients (map index 0) waits for the pool 'elsewhere', which isn't there" in said
    assert "The process of send_batch was killed once: out of memory, or by a signal." in said
    assert "The process of x" not in said
    assert "Do what is said above: the run goes on by itself then." in said
    assert "This page follows it: it looks every 5 seconds while you see it." in said


def test_O12_what_a_run_itself_waits_for_is_told(
    connected: World, dag_run: OneDagRun, glance: Glance
) -> None:
    """An answer that was lost, a call that SendGrid turned away, and how far the jobs are."""
    connected.seed()
    with connected.sync() as sync:
        old = start_run(sync, RunKind.FULL, holder="command line box:1")
        release_lease(sync, old, "ended")
        run_id = start_run(sync, RunKind.FULL, holder=HOLDER)
    connected.state(
        "INSERT INTO contact_sync.batch (run_id, sync_id, lane, contacts, state, submitted_at,"
        " fate_unknown_at) SELECT run_id, sync_id, 'json', 3, 'submitting', now(), now()"
        " FROM contact_sync.run WHERE run_id = %s", old,
    )  # fmt: skip
    connected.state(
        "UPDATE contact_sync.run SET waits_until = now() + interval '1 minute',"
        " waits_why = 'PUT /v3/marketing/contacts: rate limit reached' WHERE run_id = %s", run_id,
    )  # fmt: skip
    said = glance("viewer", REPORT)
    assert "and no answer came: it may still take effect at SendGrid" in said
    assert "PUT /v3/marketing/contacts: rate limit reached. It is tried again at " in said
    plan = json.dumps({"counts": {"to_send": 5}})
    connected.state("UPDATE contact_sync.run SET plan = %s WHERE run_id = %s", plan, run_id)
    connected.state(
        "INSERT INTO contact_sync.batch (run_id, sync_id, lane, contacts, state, job_id,"
        " job_status, submitted_at, asked_at) SELECT run_id, sync_id, 'csv', 5, 'submitted', 'j1',"
        " 'pending', now(), now() FROM contact_sync.run WHERE run_id = %s", run_id,
    )  # fmt: skip
    said = glance("viewer", REPORT)
    for part in ("contacts sent ", "5 of 5", "0 of 5", "Last look", "Waited for until", "j1"):
        assert part in said


def test_O12_a_run_that_has_not_begun_says_whose_lease_it_waits_for(
    connected: World, dag_run: OneDagRun, shown: Show, glance: Glance
) -> None:
    """Or why it never began: a disabled sync and a busy lease are told apart."""
    connected.seed()
    with connected.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="command line box:1")
    said = glance("viewer", REPORT)
    assert "The run has not begun." in said
    assert "Another run is at work on this sync: command line box:1." in said
    dag_run.is_now("success")
    assert "the log of start_run says which" in glance("viewer", REPORT)
    dag_run.task("start_run", "skipped")
    dag_run.result("start_run", "not_started", "busy")
    said = glance("viewer", REPORT)
    assert "because another run was at work on this sync" in said
    assert f"It was run {run_id}." in said
    assert said.links[f"run {run_id}"] == f"/syncs/demo/runs/{run_id}"
    dag_run.result("start_run", "not_started", "disabled")
    assert "because the sync was disabled" in shown("viewer", REPORT)


def test_why_start_run_began_no_run_is_kept_for_the_page(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scheduled run doesn't wait for the lease; a disabled sync starts none."""
    pushed: list[tuple[str, str]] = []
    ti = SimpleNamespace(xcom_push=lambda key, value: pushed.append((key, value)))
    due = SimpleNamespace(dag_id=DAG_ID, run_id=RUN_ID, start_date="now", run_type="scheduled")
    form = {"mode": "full", "clients": None, "sample": None, "dry_run": False}
    form |= {"retry_rejected": False, "approve_removals": None, "approve_plan": False}
    context = {"params": form, "dag_run": due, "ti": ti}
    monkeypatch.setattr(tasks, "get_current_context", lambda: context)
    with connected.sync() as sync:
        start_run(sync, RunKind.FULL, holder="command line box:1")
    with pytest.raises(AirflowSkipException, match="command line box:1 is at work"):
        tasks.start_run("demo")
    definition = read_definition("demo").model_copy(update={"enabled": False})
    monkeypatch.setattr(handles, "read_definition", lambda _name: definition)
    with pytest.raises(AirflowSkipException, match="is disabled"):
        tasks.start_run("demo")
    assert pushed == [("not_started", "busy"), ("not_started", "disabled")]


def test_O13_what_was_marked_or_cleared_by_hand_is_told_with_who_did_it(
    connected: World,
    dag_run: OneDagRun,
    shown: Show,
    glance: Glance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To whoever may see Airflow's audit log; and why both sides don't agree."""
    connected.seed()
    with connected.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder=HOLDER)
        release_lease(sync, run_id, "A task failed")
    dag_run.note("patch_task_instance", "ann", "send_batch", new_state="success")
    dag_run.note("patch_dag_run", "bob", state="success")
    dag_run.note("patch_dag_run", "eve", note="only a note")
    dag_run.note("post_clear_task_instances", "cid", task_ids=["finish_run"])
    dag_run.is_now("success")
    said = glance("admin", REPORT)
    for part in (
        "ann marked send_batch as success at ",
        "bob marked the DAG run as success at ",
        "cid cleared finish_run at ",
        "The run was over by then, so its tasks refuse and send nothing",
        "Airflow says success, and the run has failed: a person marked it so.",
    ):
        assert part in said
    assert "eve" not in said
    monkeypatch.setattr(Viewer, "may_see_audit_log", lambda _self, _dag_id: False)
    assert "somebody marked send_batch" in shown("viewer", REPORT)


def test_advice_that_a_later_run_has_done_says_so(
    connected: World, dag_run: OneDagRun, glance: Glance
) -> None:
    """With the run that did it."""
    connected.seed()
    with connected.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="command line box:1")
        release_lease(sync, run_id, "A task failed")
    page = f"/syncs/demo/runs/{run_id}"
    assert "Done:" not in glance("viewer", page)
    newer = connected.run()["id"]
    said = glance("viewer", page)
    assert f"Done: run {newer} (" in said
    assert said.links[f"run {newer}"] == f"/syncs/demo/runs/{newer}"
    assert "continued from the same state and succeeded" in said


def test_O13_a_run_that_a_person_marked_as_failed_says_so_and_sends_nobody_to_a_log(
    connected: World, dag_run: OneDagRun, glance: Glance
) -> None:
    """Airflow makes its tasks red with it, and their logs have nothing to say."""
    connected.seed()
    with connected.sync() as sync:
        release_lease(sync, start_run(sync, RunKind.FULL, holder=HOLDER), None)
    dag_run.is_now("failed")
    dag_run.task("send_batch", "failed", start_date=utcnow())
    said = glance("viewer", REPORT)
    assert "the task send_batch failed; its log says why" in said
    assert "Read the last lines of the failed task's log" in said
    dag_run.note("patch_dag_run", "ann", state="failed")
    said = glance("admin", REPORT)
    assert "no task said that it failed; ann marked the DAG run as failed at " in said
    assert "log says why" not in said
    assert "Read the last lines" not in said
    assert "What to do next Trigger a new run." in said
    assert "a person marked it as failed in Airflow" in glance("viewer", "/syncs")

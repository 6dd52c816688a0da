"""Whole DAG runs by `dag.test()`: real operators and trigger, no scheduler."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models.taskinstance import TaskInstance
from airflow.sdk.definitions import dag as sdk_dag
from airflow.sdk.timezone import utcnow
from airflow.utils.session import create_session

from contact_sync.airflow_edge import operators
from contact_sync.airflow_edge.triggers import WaitTrigger
from contact_sync.base.vocabulary import RunKind
from contact_sync.lookup import chosen_clients
from contact_sync.run.release_lease import release_lease
from contact_sync.run.start_run import start_run
from contact_sync.sync import Sync
from tests.support.airflow_home import ROOT
from tests.support.world import World

pytestmark = pytest.mark.airflow


def run_dag(**conf: Any) -> tuple[str, dict[str, str]]:
    """Run the demo's DAG; returns its state and the state of each task (mapped: the last one).

    A fresh DAG each time, because `dag.test()` leaves the conf in its params; no retries, because
    it would wait for them.
    """
    dag = DagBag(str(ROOT / "dags")).dags["contact_sync_demo"]
    for task in dag.tasks:
        task.retries = 0
    run = dag.test(run_conf=conf)
    tasks = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
    return str(run.state), tasks


def test_first_load_then_changes(connected: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """S5, S6: the DAG loads everyone, then sends what changed and removes the former address."""
    monkeypatch.setattr("contact_sync.run.send_batch.LOOK_SECONDS", 60.0)  # also if all is slow
    connected.seed()
    state, tasks = run_dag(mode="full", reason="first load")
    assert state == "success"
    assert tasks["remove_batch"] == "skipped"
    connected.assert_converged()
    report = connected.report()
    assert (report["state"], report["reason"]) == ("succeeded", "first load")

    connected.change()
    state, tasks = run_dag()
    assert state == "success"
    processes = {task for task, found in tasks.items() if found == "success"}
    assert processes == {"start_run", "finish_run"}  # the first one went on with the rest
    assert set(tasks.values()) == {"success", "skipped"}
    connected.assert_converged()


def test_nothing_changed_skips_sending(connected: World) -> None:
    """A run without changes is green and sends nothing."""
    connected.seed()
    connected.run()
    writes = len(connected.writes())
    state, tasks = run_dag()
    assert state == "success"
    assert (tasks["send_batch"], tasks["finish_run"]) == ("skipped", "success")
    assert len(connected.writes()) == writes


def test_a_trial_of_chosen_clients(connected: World) -> None:
    """By key or id, or so many: exactly these, and nobody for a name that nobody has."""
    ids = {email: connected.add(email) for email in ("ann@example.com", "bob@example.com")}
    state, tasks = run_dag(clients=[str(ids["ann@example.com"]), "a key"])
    assert (state, tasks["start_run"], connected.contacts()) == ("failed", "failed", {})
    assert run_dag(clients=[str(ids["ann@example.com"]), ""])[0] == "success"
    assert set(connected.contacts()) == {"ann@example.com"}
    assert "trial of chosen clients (1)" in connected.run_report().kind_in_words
    assert run_dag(sample=1, dry_run=True)[0] == "success"
    assert connected.report()["counts"]["read"] == 1


def test_dry_run(connected: World) -> None:
    """A dry run reports the plan and changes nothing."""
    connected.seed()
    state, tasks = run_dag(dry_run=True)
    assert (state, tasks["finish_run"]) == ("success", "skipped")  # so that no asset event is made
    assert connected.writes() == []
    report = connected.report()
    assert (report["dry_run"], report["counts"]["to_send"]) == (True, 4)
    assert connected.state("SELECT count(*) FROM contact_sync.ledger") == [(0,)]


def test_the_first_red_task_names_cause_and_mend(
    connected: World, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A missing list: check_setup fails at once, nothing is sent, the lease is free again. Its log
    ends with that in words, without a traceback."""
    connected.seed()
    connected.emulator.admin.reset()
    state, tasks = run_dag(mode="full")
    assert state == "failed"
    red = [task_id for task_id, found in tasks.items() if found == "failed"]
    assert red == ["check_setup", "release_lease"]
    airflow, said = capfd.readouterr().out, " ".join(" ".join(caplog.messages).split())
    assert "::group::Post Execute" in airflow
    assert "Traceback" not in airflow + said
    assert "Task failed with exception" not in airflow + said
    for part in (
        "Sync 'demo' can't run; nothing was read or sent. To fix:",
        "- SendGrid has no list 'B2CORE clients': create it",
        "What has been sent: Nothing: the run had no plan yet",
        "What happens by itself: Nothing is lost: the next run continues",
        "What to do: Correct what is named above, then trigger a new run:",
        "/dags/contact_sync_demo",
    ):
        assert said.count(part) >= 2, part  # by the task that failed, and by the last one
    report = connected.report()
    assert report["state"] == "failed"
    assert "SendGrid has no list 'B2CORE clients': create it" in report["cause"]
    assert "SendGrid has no field 'Status': create it" in report["cause"]
    assert connected.writes() == []
    with connected.sync() as sync:
        start_run(sync, RunKind.FULL, holder="the next one")


def test_the_cause_is_known_when_the_last_try_meets_what_might_have_passed(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B2CORE doesn't answer: a retryable error, and no try is left."""
    connected.seed()
    url = connected.reader_url.replace("b2core_world", "not_there")
    monkeypatch.setenv("AIRFLOW_CONN_B2CORE_DEFAULT", url)
    state, tasks = run_dag()
    assert (state, tasks["check_setup"], tasks["release_lease"]) == ("failed", "failed", "failed")
    assert "B2CORE's database" in connected.report()["cause"]


def test_values_that_make_no_sense_start_nothing(connected: World) -> None:
    """By whatever way they came: no run, no lease, and the first task says which."""
    state, tasks = run_dag(dry_run=True, approve_removals=3)
    assert (state, tasks["start_run"]) == ("failed", "failed")
    assert connected.state("SELECT count(*) FROM contact_sync.run") == [(0,)]


def test_O02_a_backfill_waits_for_the_lease(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another run holds the lease, a triggered run waits, and goes on when it is free."""
    connected.seed()
    waits: list[float] = []
    with connected.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="somebody else")

        def wait(seconds: float, payload: dict[str, Any]) -> WaitTrigger:
            waits.append(seconds)
            if len(waits) == 2:
                release_lease(sync, run_id, "gave up")
            return WaitTrigger(0.1, payload)

        monkeypatch.setattr(operators, "WaitTrigger", wait)
        state, tasks = run_dag(mode="full")
    assert (state, tasks["start_run"]) == ("success", "success")
    assert waits == [operators.LEASE_POLL_SECONDS] * 2
    assert connected.report(run_id)["state"] == "failed"
    assert connected.report()["id"] != run_id
    connected.assert_converged()


@pytest.mark.slow
def test_a_trial_looks_for_its_clients_once_it_may_begin(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not each time that it looks whether the lease is free."""
    connected.seed()
    chosen: list[int | None] = []
    find = chosen_clients.chosen_clients

    def note(sync: Sync, names: list[str] | None, sample: int | None) -> tuple[int, ...] | None:
        chosen.append(sample)
        return find(sync, names, sample)

    monkeypatch.setattr(chosen_clients, "chosen_clients", note)
    with connected.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="somebody else")

        def wait(_seconds: float, payload: dict[str, Any]) -> WaitTrigger:
            assert chosen == []
            release_lease(sync, run_id, "gave up")
            return WaitTrigger(0.1, payload)

        monkeypatch.setattr(operators, "WaitTrigger", wait)
        assert run_dag(sample=2)[0] == "success"
    assert chosen == [2]


@contextmanager
def triggerer_down() -> Iterator[list[timedelta]]:
    """Nobody runs triggers, and a deferred task's time is up at once: the scheduler's own check
    finds it. Gives how long each of them would have waited."""
    waits: list[timedelta] = []
    run_task = sdk_dag._run_task

    def run(**options: Any) -> Any:
        result = run_task(**options | {"run_triggerer": False})
        with create_session() as session:
            for ti in session.query(TaskInstance).filter(TaskInstance.state == "deferred"):
                assert ti.trigger_timeout is not None
                waits.append(ti.trigger_timeout - utcnow())
                ti.trigger_timeout = utcnow() - timedelta(seconds=1)
        SchedulerJobRunner(job=Job()).check_trigger_timeouts()
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sdk_dag, "_run_task", run)
        yield waits


def test_D14_a_triggerer_that_is_down_fails_the_task_and_the_next_run_goes_on(
    connected: World,
) -> None:
    """The wait for a job ends after minutes, in red, with a free lease; the job is not forgotten:
    the next run settles it and sends nothing again."""
    connected.seed()
    connected.emulator.admin.settings(delay=3600)
    with triggerer_down() as waits:
        state, tasks = run_dag(mode="full")
    assert (state, tasks["send_batch"], tasks["release_lease"]) == ("failed", "failed", "failed")
    assert [wait < timedelta(minutes=16) for wait in waits] == [True]
    assert connected.report()["state"] == "failed"
    assert "confirmed" not in connected.fates().values()
    written = connected.writes()
    connected.emulator.admin.advance(3600)
    connected.run()
    assert connected.writes() == written
    connected.assert_converged()

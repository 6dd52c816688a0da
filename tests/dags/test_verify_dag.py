"""Whole DAG runs of a verification by `dag.test()`: real operators and trigger, no scheduler."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from contact_sync.state import verifications
from contact_sync.state.verifications import Verification
from tests.support.airflow_home import ROOT
from tests.support.damage import lose_state, put, remove
from tests.support.old_things import grow_old, ids
from tests.support.world import World

pytestmark = pytest.mark.airflow
ANN, BOB = "ann@example.com", "bob@example.com"


def run_dag(**conf: Any) -> tuple[str, dict[str, str]]:
    """Run the demo's verification; returns its state and the state of each task."""
    dag = DagBag(str(ROOT / "dags")).dags["contact_sync_demo_verify"]
    for task in dag.tasks:
        task.retries = 0
    run = dag.test(run_conf=conf)
    tasks = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
    return str(run.state), tasks


def newest(world: World) -> Verification:
    """The newest verification."""
    ((number,),) = world.state("SELECT max(verification_id) FROM contact_sync.verification")
    with world.sync() as sync:
        return verifications.load(sync.state, number)


def test_V10_the_dag_verifies_and_has_the_next_run_repair(connected: World) -> None:
    """It waits for a slow export deferred, takes no lease, and its certificate names its run. What
    is old goes."""
    connected.add(ANN, first_name="Ann")
    connected.add(BOB)
    connected.run(dry_run=True)
    grow_old(connected, 2_000)
    connected.run()
    connected.emulator.admin.settings(delay=1.0)
    state, tasks = run_dag(reason="audit")
    assert (state, set(tasks.values())) == ("success", {"success"})
    assert ids(connected, "run") == [2]
    found = newest(connected)
    assert (found.is_equal, found.reason, found.counts["compared"]) == (True, "audit", 2)
    assert found.holder.startswith("DAG run contact_sync_demo_verify")

    connected.emulator.admin.settings(delay=0.05)
    put(connected, ANN, first_name="Eve")
    remove(connected, BOB)
    before = connected.fates()
    assert run_dag()[0] == "success"
    assert newest(connected).counts["different"] == newest(connected).counts["missing"] == 1
    assert connected.fates() == before
    assert run_dag(repair=True)[0] == "success"
    assert set(connected.fates().values()) == {"pending: found_different", "pending: found_missing"}
    connected.run()
    connected.assert_converged()
    assert run_dag()[0] == "success"
    assert newest(connected).is_equal


def test_V02_a_verification_that_can_not_go_on_ends_with_its_cause(connected: World) -> None:
    """SendGrid says that the export has failed: the first red task says so, and so does the row."""
    connected.add(ANN)
    connected.run()
    connected.emulator.admin.job_fault("fails_halfway", job="export", after_rows=0)
    state, tasks = run_dag()
    assert (state, tasks["wait_for_export"]) == ("failed", "failed")
    found = newest(connected)
    assert found.state == "failed"
    assert "has failed" in str(found.cause)
    assert run_dag()[0] == "success"


def test_V11_the_dag_fills_a_lost_ledger(connected: World) -> None:
    """The trigger form asks for it; the first load then sends nobody."""
    connected.seed()
    connected.run()
    lose_state(connected)
    assert run_dag(rebuild=True)[0] == "success"
    assert newest(connected).rebuilt == 4
    assert connected.run()["counts"]["sent"] == 0

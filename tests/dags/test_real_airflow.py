"""The whole system: real Airflow, PostgreSQL and the emulator, started as `make demo` starts them.

What only the real scheduler, executor and triggerer show: mapped tasks, deferral, pools, the
package loaded as a plugin. Everything that can be tested without them is tested elsewhere.
"""

from __future__ import annotations

import time

import psycopg
import pytest

from local.b2core_demo import apply_demo_changes
from local.demo import DAG_ID, SYNC
from local.stack import Stack
from local.stack_databases import AIRFLOW, STATE
from local.stack_runs import task_states, wait
from tests import canary
from tests.stacks import CLIENTS, run, wrong_contacts

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600), pytest.mark.xdist_group("airflow")]

RUN_SECONDS = 240.0


def test_the_first_load_makes_every_contact_right(stack: Stack) -> None:
    """Every client of B2CORE ends as a contact, or as rejected or excluded."""
    first = stack.status(SYNC)["runs"][-1]
    assert (first["kind"], first["reason"], first["state"]) == ("full", "first load", "succeeded")
    assert first["counts"]["read"] == CLIENTS
    assert wrong_contacts(stack, CLIENTS) == []


def test_an_incremental_run_sends_only_what_changed(stack: Stack) -> None:
    """A back office's changes arrive, and little else is read."""
    apply_demo_changes(stack.databases.b2core_url)
    assert wrong_contacts(stack, CLIENTS), "the changes change nothing"
    report = run(stack, {"mode": "incremental"})
    assert 0 < report["counts"]["sent"] <= report["counts"]["read"] < CLIENTS / 2
    assert wrong_contacts(stack, CLIENTS) == []


def test_a_run_without_changes_sends_nothing(stack: Stack) -> None:
    """A second full run finds every contact as it should be."""
    jobs = len(stack.emulator.admin.jobs())
    report = run(stack, {"mode": "full"})
    assert report["counts"]["unchanged"] > 0
    assert report["jobs"] == []
    assert len(stack.emulator.admin.jobs()) == jobs
    assert wrong_contacts(stack, CLIENTS) == []


@pytest.mark.parametrize(("option", "end"), [("Refuse", "failed"), ("Approve", "success")])
def test_G5_a_plan_above_the_limits_waits_for_a_person(stack: Stack, option: str, end: str) -> None:
    """The question shows why and the counts; nothing is sent before the answer, and after a
    refusal nothing at all. A refused plan comes again with the next run."""
    with psycopg.connect(stack.databases.b2core_url) as connection:
        connection.execute(
            """UPDATE b2core.clients SET email = 'moved-' || email WHERE id IN (
                   SELECT id FROM b2core.clients WHERE email ~ '^[a-z0-9.]+@' ORDER BY id LIMIT 80
               )"""
        )
    jobs = len(stack.emulator.admin.jobs())
    api, run_id = stack.airflow.api, stack.trigger(DAG_ID, {"mode": "incremental"})
    deadline = time.monotonic() + RUN_SECONDS
    while task_states(stack, DAG_ID, run_id).get("approve_plan") != "awaiting_input":
        states = task_states(stack, DAG_ID, run_id)
        assert "remove_excluded" not in states, states
        assert time.monotonic() < deadline, states
        time.sleep(1)
    body = str(api.question(DAG_ID, run_id, "approve_plan")["body"])
    assert "contacts would be removed, the limit is 50" in body
    assert "| address changed |" in body
    time.sleep(6)  # a person is never quicker; Airflow 3.3 can lose an answer that is
    assert len(stack.emulator.admin.jobs()) == jobs
    api.answer(DAG_ID, run_id, "approve_plan", option)
    assert wait(stack, DAG_ID, run_id, seconds=RUN_SECONDS) == end
    report = stack.status(SYNC)["runs"][0]
    assert report["approval"]["decision"] == {"Approve": "approved", "Refuse": "refused"}[option]
    assert (len(stack.emulator.admin.jobs()) > jobs) == (option == "Approve")
    assert (wrong_contacts(stack, CLIENTS) == []) == (option == "Approve")


def test_G10_airflow_holds_no_personal_data(stack: Stack) -> None:
    """Task logs and those of its processes; XCom, rendered fields, DAGs: its whole database."""
    assert canary.scan_files(stack.directory / "airflow", "*.log") > 20
    assert canary.scan_database(stack.databases.cluster.url(AIRFLOW), "public") > 20
    canary.scan_state(stack.databases.cluster.url(STATE))
    assert canary.hits.take() == []

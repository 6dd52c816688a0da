"""What people and accidents do to a DAG run on the real Airflow, and what the pages show of it in
a real browser: a plan that nobody answers, a process that is killed, a run that is paused or waits
for another one, for a triggerer or a pool, and tasks that are cleared or marked by hand.

What each page says in all its cases is tested without Airflow's processes, in test_live_pages.py
and test_plan_page.py; here it is what Airflow itself leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import yaml

from local.demo.sync import DAG_ID, SYNC
from local.stack.system import POOL, POOL_SLOTS, Stack
from tests.support.receivers import arrived
from tests.support.rendered import Eyes
from tests.support.seen_dag_runs import DAG, DagRun, frozen, kill
from tests.support.stacks import CLIENTS, wrong_contacts

pytestmark = [
    pytest.mark.airflow, pytest.mark.slow, pytest.mark.timeout(900),
    pytest.mark.xdist_group("airflow"),
]  # fmt: skip

HOUR = 3600
KILLED = "The process of start_run was killed {}: out of memory, or by a signal."
MOVE = """UPDATE b2core.clients SET email = 'moved-' || email WHERE id IN (
              SELECT id FROM b2core.clients WHERE email ~ '^[a-z0-9.]+@' ORDER BY id LIMIT 80)"""
CHANGE = """UPDATE b2core.clients SET last_name = last_name || 'x' WHERE id IN (
                SELECT id FROM b2core.clients WHERE email ~ '^[a-z0-9.]+@' ORDER BY id LIMIT 10)"""
EXPIRE = """UPDATE task_instance SET trigger_timeout = now() - interval '1 second'
            WHERE run_id = %s AND state = 'awaiting_input'"""
AT_ONCE = """UPDATE task_instance SET end_date = end_date - interval '1 hour'
             WHERE run_id = %s AND state = 'up_for_retry'"""
SILENT = "UPDATE job SET latest_heartbeat = now() - interval '1 hour' WHERE job_type = %s"


@pytest.fixture
def begin(stack: Stack, eyes: Eyes) -> Iterator[Callable[..., DagRun]]:
    """Start a DAG run; afterwards the account is as B2CORE is, whatever happened to the run."""
    admin = stack.emulator.admin
    delay = admin.settings()["delay"]
    yield lambda: DagRun(stack, eyes)
    admin.clear_faults()
    admin.settings(delay=delay)
    admin.advance(HOUR)


def change(stack: Stack, statement: str) -> None:
    """The back office changes B2CORE."""
    with psycopg.connect(stack.databases.b2core_url) as connection:
        connection.execute(statement.encode())


def test_G5_T03_a_plan_that_nobody_answers_expires_and_the_next_run_asks_again(
    stack: Stack, begin: Callable[..., DagRun]
) -> None:
    """Airflow's scheduler ends the wait; nothing was sent, and every page says so."""
    change(stack, MOVE)
    jobs = len(stack.emulator.admin.jobs())
    run = begin()
    run.until("approve_plan", "awaiting_input")
    said = run.shows()
    assert "Approve or refuse the plan: 80 contacts would be removed, the limit is 50." in said
    assert "Without a person's answer until" in said
    assert "to send 80 confirmed 0 rejected by SendGrid 0 pending 0 not sent yet 80" in said
    assert run.airflow(EXPIRE) == 1
    assert run.ends() == "failed"
    said, number = run.shows(), stack.status(SYNC)["runs"][0]["id"]
    cause = "Nobody answered within 24 hours whether the plan may be sent; nothing was sent"
    assert f"Why it failed: {cause} What to do next The plan was answered by nobody" in said
    assert "to send 80 confirmed 0 rejected by SendGrid 0 pending 0 not sent yet 80" in said
    assert f"failed {cause}. Run {number}" in run.shows("/syncs")
    assert len(stack.emulator.admin.jobs()) == jobs
    again = begin()
    again.until("approve_plan", "awaiting_input")
    assert "waits for approval" in run.shows("/syncs")
    stack.airflow.api.answer(DAG_ID, again.id, "approve_plan", "Approve")
    assert again.ends() == "success"
    assert f"Done: run {number + 1} (" in run.shows()
    assert "approved by admin" in again.shows()
    assert wrong_contacts(stack, CLIENTS) == []


@pytest.mark.parametrize(("times", "said"), [(1, "once"), (4, "3 times")])
def test_O14_a_process_that_is_killed_is_counted_and_nothing_is_lost(
    stack: Stack, begin: Callable[..., DagRun], times: int, said: str
) -> None:
    """As when memory runs out, at a call. After the last try the run is red; the next is green.
    Airflow notes no kill of the last try: there it makes the task red itself."""
    admin, run = stack.emulator.admin, None
    for number in range(1, times + 1):
        admin.fault("GET", "/v3/marketing/lists", delay=12)
        run = run or begin()
        arrived(lambda: None if admin.faults()["calls"] else True)  # it calls
        kill(run.until("start_run", "running")["id"])
        state = run.until("start_run", "up_for_retry", "failed")["state"]
        if state == "up_for_retry":
            told = run.shows()
            assert f"start_run has failed and is tried again: try {number + 1} of 4 within" in told
            assert "its process was killed (out of memory, or by a signal)" in told
            assert run.airflow(AT_ONCE) == 1
    assert run is not None
    assert run.ends() == ("success" if times == 1 else "failed")
    told = run.shows()
    assert KILLED.format(said) in told, told.text
    if times > 1:
        assert "Why it failed: the task start_run failed; its log says why." in told
        assert "What has been sent Nothing." in told
        assert begin().ends() == "success"
        assert "continued from the same state and succeeded" in run.shows()
    assert wrong_contacts(stack, CLIENTS) == []


def test_O12_a_run_that_is_paused_or_waits_says_for_whom(
    stack: Stack, begin: Callable[..., DagRun]
) -> None:
    """Two triggers, a triggerer that is gone, a DAG that is paused in mid-run: then all goes on."""
    api, run = stack.airflow.api, with_an_open_job(stack, begin)
    said = run.shows()
    assert "It waits for SendGrid, which has 10 contacts not yet confirmed." in said
    assert "contacts sent 10 of 10 contacts whose fate is known 0 of 10" in said
    assert "to send 10 confirmed 0 rejected by SendGrid 0 pending 0" in said
    second = begin()
    queued = "The DAG run is queued: it begins when the run of this DAG before it is over."
    assert queued in second.shows()
    with frozen(stack, "triggerer"):
        assert run.airflow(SILENT, "TriggererJob") > 0
        said = run.shows()
        assert "No triggerer of Airflow is alive, so nobody looks whether the waiting" in said
        assert "Do what is said above: the run goes on by itself then." in said
    api.send("PATCH", DAG, {"is_paused": True})
    assert "The DAG is paused, by admin at " in run.shows()
    assert "paused" in run.shows("/syncs")
    stack.emulator.admin.advance(HOUR)
    run.until("send_batch", "success", "scheduled")
    api.unpause(DAG_ID)
    assert (run.ends(), second.ends()) == ("success", "success")
    assert "to send 10 confirmed 10 rejected by SendGrid 0 pending 0" in run.shows()
    assert "The DAG is paused" not in run.shows()
    assert "to send 0 confirmed 0" in second.shows() or "Nothing." in second.shows()
    assert wrong_contacts(stack, CLIENTS) == []


def test_O13_a_task_marked_by_hand_and_cleared_later_loses_nothing(
    stack: Stack, begin: Callable[..., DagRun]
) -> None:
    """Nobody follows its job any more: the next run settles it. What is cleared then refuses."""
    run = with_an_open_job(stack, begin)
    batch = f"{run.path}/taskInstances/send_batch/0"
    stack.airflow.api.send("PATCH", batch, {"new_state": "success"})
    assert run.ends() == "failed"
    said, number = run.shows(), stack.status(SYNC)["runs"][0]["id"]
    assert "admin marked send_batch as success at " in said
    assert "with SendGrid, not known yet 10" in said
    stack.emulator.admin.advance(HOUR)
    assert begin().ends() == "success"
    said = run.shows()
    assert f"Done: run {number + 1} (" in said
    assert wrong_contacts(stack, CLIENTS) == []
    jobs = len(stack.emulator.admin.jobs())
    body = {"dag_run_id": run.id, "task_ids": ["finish_run"], "only_failed": False}
    stack.airflow.api.send("POST", f"{DAG}/clearTaskInstances", {"dry_run": False, **body})
    assert run.ends() == "failed"
    assert "admin cleared finish_run at " in run.shows()
    assert "so its tasks refuse and send nothing: trigger a new run instead." in run.shows()
    assert len(stack.emulator.admin.jobs()) == jobs


def test_O13_a_run_marked_as_failed_says_who_did_it_and_the_next_one_goes_on(
    stack: Stack, begin: Callable[..., DagRun]
) -> None:
    """No task has an error to tell of, and the page sends nobody to look for one."""
    run = with_an_open_job(stack, begin)
    stack.airflow.api.send("PATCH", run.path, {"state": "failed"})
    run.until("release_lease", "failed", "skipped", "success")
    said = run.shows()
    assert "no task said that it failed; admin marked the DAG run as failed at " in said
    assert "Trigger a new run. Nothing has to be cleaned up" in said
    assert "log says why" not in said
    assert "failed No task said why: a person marked it as failed" in run.shows("/syncs")
    stack.emulator.admin.advance(HOUR)
    assert begin().ends() == "success"
    assert "continued from the same state and succeeded" in run.shows()
    assert wrong_contacts(stack, CLIENTS) == []


def test_a_pool_that_is_missing_is_named_and_the_run_goes_on_with_it(
    stack: Stack, begin: Callable[..., DagRun]
) -> None:
    """With the command that makes it; the page that checks the set-up says the same."""
    api = stack.airflow.api
    api.send("DELETE", f"/api/v2/pools/{POOL}")
    try:
        run = begin()
        run.until("start_run", "scheduled")
        made = f'airflow pools set {POOL} 4 "Calls to SendGrid"'
        said = run.shows()
        assert f"start_run waits for the pool '{POOL}', which isn't there: {made} makes it." in said
        assert f"airflow pools set {POOL} 4" in run.set_up()
    finally:
        api.create_pool(POOL, slots=POOL_SLOTS)
    assert run.ends() == "success"
    assert "waits for the pool" not in run.shows()


def test_a_sync_that_is_disabled_and_one_that_is_broken_say_so(
    stack: Stack, begin: Callable[..., DagRun]
) -> None:
    """The DAG run is over at once, and nothing is read; the other syncs are shown."""
    folder = Path(stack.airflow.settings["AIRFLOW__CORE__DAGS_FOLDER"]).parent / "include" / "syncs"
    path = folder / f"{SYNC}.yaml"
    definition = path.read_text(encoding="utf-8")
    disabled = yaml.safe_load(definition) | {"enabled": False}
    path.write_text(yaml.safe_dump(disabled), encoding="utf-8")
    (folder / "bad.yaml").write_text("name: bad\ncolour: red\n", encoding="utf-8")
    try:
        run = begin()
        assert run.ends() == "success"
        said = run.shows()
        assert "because the sync was disabled (enabled: false in its definition)" in said
        assert "Nothing was read or sent." in said
        everything = run.shows("/syncs")
        assert "disabled" in everything
        assert "Broken definition: bad.yaml" in everything
        assert "colour" in everything
    finally:
        path.write_text(definition, encoding="utf-8")
        (folder / "bad.yaml").unlink()
    assert begin().ends() == "success"
    assert "Broken definition" not in run.shows("/syncs")


def with_an_open_job(stack: Stack, begin: Callable[..., DagRun]) -> DagRun:
    """A run whose ten contacts SendGrid works on for an hour."""
    change(stack, CHANGE)
    stack.emulator.admin.settings(delay=HOUR)
    run = begin()
    run.until("send_batch", "deferred")
    return run

"""The whole system: real Airflow, PostgreSQL and the emulator, started as `make demo` starts them.

What only the real scheduler, executor and triggerer show: mapped tasks, deferral, pools, the
package loaded as a plugin; and what leaves Airflow: alerts, metrics, lineage, the asset's events.
Everything that can be tested without them is tested elsewhere.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg
import pytest

from local.airflow_stack.api import AirflowApiError
from local.airflow_stack.settings import LOGIN, PASSWORD, VIEWER
from local.b2core_demo import apply_demo_changes
from local.browser.pages import token_of
from local.demo.sync import DAG_ID, SYNC
from local.stack.databases import AIRFLOW, STATE
from local.stack.runs import task_states, wait
from local.stack.system import Stack
from tests.support import canary
from tests.support.monitored import FOLLOWER, HOURS, datasets
from tests.support.receivers import Receivers, arrived, text_of
from tests.support.rendered import Eyes
from tests.support.stacks import CLIENTS, run, wrong_contacts

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600), pytest.mark.xdist_group("airflow")]

RUN_SECONDS = 240.0


def test_the_first_load_makes_every_contact_right(stack: Stack) -> None:
    """Every client of B2CORE ends as a contact, or as rejected or excluded."""
    first = stack.status(SYNC)["runs"][-1]
    assert (first["kind"], first["reason"], first["state"]) == ("full", "first load", "succeeded")
    assert first["counts"]["read"] == CLIENTS
    assert wrong_contacts(stack, CLIENTS) == []


def test_the_scheduler_imports_what_tasks_need_before_it_forks_them(stack: Stack) -> None:
    """So that each task has it at once: seen in what the executor's processes have mapped."""
    scheduler = psutil.Process(stack.airflow.processes.pid("scheduler"))
    for process in (scheduler, *scheduler.children()):
        assert "libarrow" in Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8")


def test_another_dag_follows_the_sync_and_reads_its_counts(stack: Stack) -> None:
    """The asset's event starts it; its extra has ids and numbers, and nothing personal."""
    api, first = stack.airflow.api, stack.status(SYNC)["runs"][-1]
    run_id = arrived(lambda: next(iter(api.run_ids(FOLLOWER)), None))
    assert wait(stack, FOLLOWER, run_id, seconds=RUN_SECONDS) == "success"
    (extra,) = api.result(FOLLOWER, run_id, "read")
    assert (extra["sync"], extra["sync_run_id"], extra["kind"]) == (SYNC, first["id"], "full")
    assert (extra["list"], extra["list_id"]) == ("B2CORE clients", stack.list_id)
    assert (extra["read"], extra["sent"]) == (CLIENTS, first["counts"]["sent"])
    books = ("selected", "confirmed", "pending", "rejected", "excluded")
    assert [extra[name] for name in books] == [first["books"][name] for name in books]


def test_openlineage_shows_the_tables_and_the_list(stack: Stack, lineage: Path) -> None:
    """The tasks that read have B2CORE's tables as inputs, those that send the list as output."""
    del stack
    tables = datasets(lineage, f"{DAG_ID}.stage_clients", "inputs")
    assert {"b2core.b2core.clients", "b2core.b2core.client_phones"} < tables
    assert len(tables) == 8
    assert "b2core.b2core.clients" in datasets(lineage, f"{DAG_ID}.select_clients", "inputs")
    sent_to = datasets(lineage, f"{DAG_ID}.send_batch", "outputs")
    assert sent_to == {"sendgrid_default/lists/B2CORE clients"}
    for side in ("inputs", "outputs"):
        assert datasets(lineage, f"{DAG_ID}.approve_plan", side) == set()


def test_metrics_arrive_by_statsd_once_a_run(stack: Stack, got: Receivers) -> None:
    """Counters, gauges and timers under the names and in the units that the docs give."""
    first, prefix = stack.status(SYNC)["runs"][-1], f"airflow.contact_sync.{SYNC}."
    arrived(lambda: [m for m in got.metrics if f"{prefix}freshness_seconds" in m] or None)
    lines = [m.removeprefix(prefix) for m in got.metrics if m.startswith(prefix)]
    metrics = dict(line.split(":") for line in lines)
    assert len(lines) == len(metrics) + len(first["jobs"]) - 1
    assert metrics["clients_read"] == f"{CLIENTS}|c"
    assert metrics["contacts_sent"] == f"{first['counts']['sent']}|c"
    assert metrics["clients_confirmed"] == f"{first['books']['confirmed']}|g"
    assert metrics["clients_rejected"] == f"{first['books']['rejected']}|g"
    run_ms, job_ms = (
        float(metrics[name].removesuffix("|ms")) for name in ("run_duration", "job_duration")
    )
    assert run_ms > job_ms > 0
    assert 0 < float(metrics["freshness_seconds"].removesuffix("|g")) < RUN_SECONDS
    assert f"airflow.contact_sync.clients_read:{CLIENTS}|c" in got.metrics


def test_rejections_above_the_limit_are_told(stack: Stack, got: Receivers) -> None:
    """By e-mail and webhook, with number, reasons and a link to the run."""
    rejected = stack.status(SYNC)["runs"][-1]["books"]["rejected"]
    mail = got.mail(" rejected")
    assert (
        mail["Subject"] == f"demo: {rejected} client{' is' if rejected == 1 else 's are'} rejected"
    )
    assert mail["From"] == "sync@brokerage.test"
    (run_id,) = stack.airflow.api.run_ids(DAG_ID)
    post = got.post("rejections", run_id)
    told = f"{rejected} clients can't be sent; 0 after the run before, the limit is 0"
    assert post["cause"].startswith(told)
    assert post["link"] == f"{stack.url}/dags/{DAG_ID}/runs/{quote(run_id, safe='')}"
    assert post["counts"]["rejected"] == rejected > 0


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        ({"mode": "everything"}, "mode"),
        ({"approve_removals": 0}, "approve_removals"),
        ({"reason": "x" * 201}, "reason"),
        ({"dryrun": True}, "There is no 'dryrun'"),
        ({"dry_run": True, "approve_removals": 7}, "dry_run together with approve_removals"),
        ({"dry_run": True, "approve_plan": True}, "dry_run together with approve_plan"),
        ({"mode": "resend", "retry_rejected": True}, "resend together with retry_rejected"),
    ],
)
def test_a_run_with_values_that_make_no_sense_is_not_even_created(
    stack: Stack, conf: dict[str, Any], said: str
) -> None:
    """Airflow's API, which its form calls too, answers 400 and names what is wrong."""
    api = stack.airflow.api
    before = api.run_ids(DAG_ID)
    with pytest.raises(AirflowApiError, match=said) as refused:
        api.trigger(DAG_ID, conf)
    assert refused.value.status == 400
    assert api.run_ids(DAG_ID) == before


def test_an_incremental_run_sends_only_what_changed(stack: Stack) -> None:
    """A back office's changes arrive, and little else is read."""
    apply_demo_changes(stack.databases.b2core_url)
    assert wrong_contacts(stack, CLIENTS), "the changes change nothing"
    report = run(stack, {"mode": "incremental"})
    assert 0 < report["counts"]["sent"] <= report["counts"]["read"] < CLIENTS / 2
    assert wrong_contacts(stack, CLIENTS) == []


@pytest.mark.parametrize(("option", "end"), [("Refuse", "failed"), ("Approve", "success")])
def test_G5_a_plan_above_the_limits_waits_for_a_person(
    stack: Stack, eyes: Eyes, option: str, end: str
) -> None:
    """The question shows why and the counts; nothing is sent before the answer, and after a
    refusal nothing at all. A refused plan comes again with the next run. Its page says so."""
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
    asked_at = time.monotonic()
    page = f"/contact-sync/report?dag_id={DAG_ID}&run_id={quote(run_id, safe='')}"
    said = eyes.glance(stack.url, token_of(stack.url, VIEWER, VIEWER), page)
    assert "What to do next Approve or refuse the plan: " in said
    assert "contacts would be removed, the limit is 50. Nothing is sent before." in said
    assert "Airflow doesn't let you answer: tell who may." in said
    time.sleep(max(0.0, asked_at + 6 - time.monotonic()))  # Airflow 3.3 can lose a quicker answer
    assert len(stack.emulator.admin.jobs()) == jobs
    api.answer(DAG_ID, run_id, "approve_plan", option)
    assert wait(stack, DAG_ID, run_id, seconds=RUN_SECONDS) == end
    report = stack.status(SYNC)["runs"][0]
    assert report["approval"]["decision"] == {"Approve": "approved", "Refuse": "refused"}[option]
    said = eyes.glance(stack.url, token_of(stack.url, LOGIN, PASSWORD), page)
    assert f"Approval {'refused' if option == 'Refuse' else 'approved'} by {LOGIN} " in said
    assert ("so nothing was sent. Correct B2CORE or the definition's" in said) == (end == "failed")
    counts = report["sending"]
    assert f"to send {counts['to_send']} confirmed {counts['confirmed']} rejected by" in said
    assert (len(stack.emulator.admin.jobs()) > jobs) == (option == "Approve")
    assert (wrong_contacts(stack, CLIENTS) == []) == (option == "Approve")


def test_a_waiting_approval_a_failed_run_and_missing_success_are_told(
    stack: Stack, got: Receivers
) -> None:
    """Of the plan that was refused just before: that it waited, that its run failed and why, and
    that nothing had succeeded when its deadline was over. None of it is personal."""
    refused, approved = (post["run_id"] for post in got.posts if post["event"] == "approval")
    asked = got.post("approval", refused)
    assert "contacts would be removed, the limit is 50" in asked["cause"]
    assert asked["link"].endswith("/tasks/approve_plan/required_actions")
    failed = got.post("run_failed", refused)
    assert failed["cause"].startswith("The plan was refused by admin")
    assert failed["counts"]["confirmed"] == 0
    assert "trigger a new run" in failed["fix"]
    assert "The plan was refused by admin" in text_of(got.mail("the run failed"))
    silent = got.post("no_success", refused)
    assert silent["cause"].startswith("The last successful run ended ")
    assert got.mail(f"no run has succeeded for {HOURS:g} hours")
    assert [p["run_id"] for p in got.posts if p["event"] == "run_failed"] == [refused]
    assert approved != refused
    pattern = f"**/run_id={refused}/task_id=approve_plan/*.log"
    entries = [
        json.loads(line)
        for log in sorted(Path(stack.airflow.task_logs).glob(pattern))
        for line in log.read_text("utf-8").splitlines()
    ]
    *_, last = (entry["event"] for entry in entries if entry["level"] == "error")
    assert last.strip() == f"{stack.url}/dags/{DAG_ID}"  # the end of what to do
    assert "Task failed with exception" not in {entry["event"] for entry in entries}
    assert not any("error_detail" in entry for entry in entries)
    for told in (*map(json.dumps, got.posts), *map(text_of, got.mails)):
        canary.hits.scan("an alert", told.replace("@brokerage.test", ""))


def test_G10_airflow_holds_no_personal_data(stack: Stack) -> None:
    """Task logs and those of its processes; XCom, rendered fields, DAGs: its whole database."""
    assert canary.scan_files(stack.directory / "airflow", "*.log") > 20
    assert canary.scan_database(stack.databases.cluster.url(AIRFLOW), "public") > 20
    canary.scan_state(stack.databases.cluster.url(STATE))
    assert canary.hits.take() == []

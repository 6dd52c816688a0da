"""Alerts, the asset, lineage, metrics and the trigger form's refusals in a real Airflow.

Two runs are enough: one that succeeds with rejected clients, and one above the limits that is
refused. The connections of the alerts are stored ones, as an administrator makes them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import yaml

from local.airflow_api import AirflowApiError
from local.demo import DAG_ID, SYNC
from local.stack import Stack
from local.stack_runs import task_states, wait
from tests import canary
from tests.airflow_home import ROOT
from tests.receivers import HOST, Receivers, arrived, receivers
from tests.stacks import RUN_SECONDS, run

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600), pytest.mark.xdist_group("airflow")]

CLIENTS = 300
HOURS = 0.02  # 72 s without a success
FOLLOWER = """
from airflow.sdk import DAG, Asset, task

CONTACTS = Asset(name="sendgrid_contacts_demo", uri="x-contact-sync://demo/contacts")

with DAG("follower", schedule=[CONTACTS]):

    @task
    def read(triggering_asset_events=None):
        return [event.extra for event in triggering_asset_events[CONTACTS]]

    read()
"""


@dataclass
class Monitored:
    """A running system with the first load done, and what arrived from it."""

    stack: Stack
    got: Receivers
    lineage: Path
    first: dict[str, Any]


def deployment(folder: Path) -> Path:
    """A deployment whose sync tells people, and a DAG that follows it."""
    for part in ("dags", "plugins", "include"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "dags" / "follower.py").write_text(FOLLOWER, encoding="utf-8")
    path = folder / "include" / "syncs" / "demo.yaml"
    definition = yaml.safe_load(path.read_text(encoding="utf-8"))
    definition["alerts"] = {
        "email": ["ops@brokerage.test"],
        "webhook_connection": "alerts_webhook",
        "rejected_limit": 0,
        "no_success_hours": HOURS,
    }
    path.write_text(yaml.safe_dump(definition), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    """Airflow with receivers for everything that leaves it."""
    lineage = tmp_path_factory.mktemp("lineage") / "events.jsonl"
    transport = {"type": "file", "log_file_path": str(lineage), "append": True}
    with receivers() as got:
        settings = {
            "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": HOST,
            "AIRFLOW__METRICS__STATSD_PORT": str(got.statsd_port),
        }
        with Stack.start(
            name="monitored",
            clients=CLIENTS,
            say=print,
            deployment=deployment(tmp_path_factory.mktemp("deployment")),
            more_settings=settings,
        ) as stack:
            api = stack.airflow.api
            smtp = {"disable_ssl": True, "disable_tls": True, "from_email": "sync@brokerage.test"}
            api.create_connection(
                "smtp_default", "smtp", host=HOST, port=got.smtp_port, extra=json.dumps(smtp)
            )
            api.create_connection("alerts_webhook", "http", host=HOST, port=got.http_port)
            for dag_id in (DAG_ID, "follower"):
                stack.wait_for_dag(dag_id)
                stack.unpause(dag_id)
            first = run(stack, {"mode": "full", "reason": "first load"})
            yield Monitored(stack, got, lineage, first)


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
    monitored: Monitored, conf: dict[str, Any], said: str
) -> None:
    """Airflow's API, which its form calls too, answers 400 and names what is wrong."""
    api = monitored.stack.airflow.api
    before = api.run_ids(DAG_ID)
    with pytest.raises(AirflowApiError, match=said) as refused:
        api.trigger(DAG_ID, conf)
    assert refused.value.status == 400
    assert api.run_ids(DAG_ID) == before


def test_another_dag_follows_the_sync_and_reads_its_counts(monitored: Monitored) -> None:
    """The asset's event starts it; its extra has ids and numbers, and nothing personal."""
    api = monitored.stack.airflow.api
    run_id = arrived(lambda: next(iter(api.run_ids("follower")), None))
    assert wait(monitored.stack, "follower", run_id, seconds=RUN_SECONDS) == "success"
    (extra,) = api.result("follower", run_id, "read")
    first = monitored.first
    assert (extra["sync"], extra["sync_run_id"], extra["kind"]) == (SYNC, first["id"], "full")
    assert (extra["list"], extra["list_id"]) == ("B2CORE clients", monitored.stack.list_id)
    assert (extra["read"], extra["sent"]) == (CLIENTS, first["counts"]["sent"])
    books = ("selected", "confirmed", "pending", "rejected", "excluded")
    assert [extra[name] for name in books] == [first["books"][name] for name in books]


def test_openlineage_shows_the_tables_and_the_list(monitored: Monitored) -> None:
    """The tasks that read have B2CORE's tables as inputs, those that send the list as output."""
    lines = monitored.lineage.read_text(encoding="utf-8").splitlines()
    events = [event for event in map(json.loads, lines) if event["eventType"] == "COMPLETE"]

    def of(task: str, side: str) -> set[str]:
        found = [e for e in events if e["job"]["name"] == f"{DAG_ID}.{task}"]
        assert found, task
        return {dataset["name"] for event in found for dataset in event[side]}

    tables = of("stage_clients", "inputs")
    assert {"b2core.b2core.clients", "b2core.b2core.client_phones"} < tables
    assert len(tables) == 8
    assert of("select_clients", "inputs") >= {"b2core.b2core.clients"}
    assert of("send_batch", "outputs") == {"sendgrid_default/lists/B2CORE clients"}
    assert of("check_setup", "inputs") == of("check_setup", "outputs") == set()


def test_metrics_arrive_by_statsd_once_a_run(monitored: Monitored) -> None:
    """Counters, gauges and timers under the names and in the units that the docs give."""
    first, prefix = monitored.first, f"airflow.contact_sync.{SYNC}."
    arrived(lambda: [m for m in monitored.got.metrics if f"{prefix}freshness_seconds" in m] or None)
    lines = [m.removeprefix(prefix) for m in monitored.got.metrics if m.startswith(prefix)]
    got = dict(line.split(":") for line in lines)
    assert len(lines) == len(got) + len(first["jobs"]) - 1
    assert got["clients_read"] == f"{CLIENTS}|c"
    assert got["contacts_sent"] == f"{first['counts']['sent']}|c"
    assert got["clients_confirmed"] == f"{first['books']['confirmed']}|g"
    assert got["clients_rejected"] == f"{first['books']['rejected']}|g"
    assert got["run_duration"].endswith("|ms")
    assert float(got["run_duration"].removesuffix("|ms")) > 1000 * first["jobs"][0]["seconds"]
    assert got["job_duration"].endswith("|ms")
    assert 0 < float(got["freshness_seconds"].removesuffix("|g")) < RUN_SECONDS
    assert f"airflow.contact_sync.clients_read:{CLIENTS}|c" in monitored.got.metrics


def test_rejections_above_the_limit_are_told(monitored: Monitored) -> None:
    """By e-mail and webhook, with number, reasons and where to look; nothing personal."""
    rejected = monitored.first["books"]["rejected"]
    assert rejected > 0
    mail = monitored.got.mail("clients are rejected")
    assert (mail["Subject"], mail["From"]) == (
        f"demo: {rejected} clients are rejected", "sync@brokerage.test",
    )  # fmt: skip
    (run_id,) = monitored.stack.airflow.api.run_ids(DAG_ID)
    post = monitored.got.post("rejections", run_id)
    assert (
        f"{rejected} clients can't be sent; 0 after the run before, the limit is 0" in post["cause"]
    )
    assert post["link"] == f"{monitored.stack.url}/dags/{DAG_ID}/runs/{quote(run_id, safe='')}"
    assert post["counts"]["rejected"] == rejected


def test_a_waiting_approval_a_failed_run_and_missing_success_are_told(monitored: Monitored) -> None:
    """One run above the limits: it asks, it is refused and fails, and N hours after it began the
    deadline finds that nothing has succeeded since."""
    stack, got = monitored.stack, monitored.got
    with psycopg.connect(stack.databases.b2core_url) as connection:
        connection.execute(
            """UPDATE b2core.clients SET email = 'moved-' || email WHERE id IN (
                   SELECT id FROM b2core.clients WHERE email ~ '^[a-z0-9.]+@' ORDER BY id LIMIT 80
               )"""
        )
    api, run_id = stack.airflow.api, stack.trigger(DAG_ID, {"mode": "incremental"})
    asked = got.post("approval", run_id)
    assert "contacts would be removed, the limit is 50" in asked["cause"]
    assert asked["link"].endswith("/tasks/approve_plan/required_actions")
    arrived(
        lambda: task_states(stack, DAG_ID, run_id).get("approve_plan") == "awaiting_input" or None
    )
    api.answer(DAG_ID, run_id, "approve_plan", "Refuse")
    assert wait(stack, DAG_ID, run_id, seconds=RUN_SECONDS) == "failed"

    failed = got.post("run_failed", run_id)
    assert failed["cause"] == "The plan was refused by admin; nothing was sent"
    assert failed["counts"]["sent"] == 0
    assert "trigger a new run" in failed["mend"]
    mail = got.mail("the run failed")
    assert "The plan was refused by admin" in mail.as_string()

    silent = got.post("no_success", run_id)
    assert silent["cause"].startswith("The last successful run ended ")
    assert got.mail(f"no run has succeeded for {HOURS:g} hours")
    for what in [*map(json.dumps, got.posts), *(m.as_string() for m in got.mails)]:
        canary.hits.scan("an alert", what.replace("@brokerage.test", ""))

"""A deployment that tells people and programs what it did, and where a real Airflow sends that."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import yaml

from local.airflow_stack.api import AirflowApi
from tests.support.airflow_home import ROOT
from tests.support.receivers import HOST, Receivers

HOURS = 0.002  # 7 s without a success
FOLLOWER, WATCHED = "follower", "watched"
_FOLLOWER_DAG = f"""
from airflow.sdk import DAG, Asset, task

CONTACTS = Asset(name="sendgrid_contacts_demo", uri="x-contact-sync://demo/contacts")

with DAG("{FOLLOWER}", schedule=[CONTACTS]):

    @task
    def read(triggering_asset_events=None):
        return [event.extra for event in triggering_asset_events[CONTACTS]]

    read()
"""

_WATCHED_DAG = f"""
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

from contact_sync.airflow_edge.schedules import source_asset

with DAG(
    "{WATCHED}", schedule=[source_asset("demo")], max_active_runs=1, is_paused_upon_creation=False
):
    EmptyOperator(task_id="nothing")
"""


def deployment(folder: Path) -> Path:
    """The demo's deployment with alerts, with a DAG that follows the sync, and with one that begins
    as a sync does whose `schedule` is `changes`; its task needs no process."""
    for part in ("dags", "plugins", "include"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "dags" / "follower.py").write_text(_FOLLOWER_DAG, encoding="utf-8")
    (folder / "dags" / "watched.py").write_text(_WATCHED_DAG, encoding="utf-8")
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


def settings(got: Receivers, lineage: Path) -> dict[str, str]:
    """Airflow's settings for metrics, and for lineage into a file."""
    transport = {"type": "file", "log_file_path": str(lineage), "append": True}
    return {
        # No DAG changes while the tests run; to parse them all costs two seconds of a core.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
        "AIRFLOW__OPENLINEAGE__EXECUTE_IN_THREAD": "True",  # by default each event is a process
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": HOST,
        "AIRFLOW__METRICS__STATSD_PORT": str(got.statsd_port),
    }


def connect_alerts(api: AirflowApi, got: Receivers) -> None:
    """Store the connections of the alerts, as an administrator does."""
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "sync@brokerage.test"}
    api.create_connection(
        "smtp_default", "smtp", host=HOST, port=got.smtp_port, extra=json.dumps(extra)
    )
    api.create_connection("alerts_webhook", "http", host=HOST, port=got.http_port)


def datasets(lineage: Path, task: str, side: str) -> set[str]:
    """The names of the inputs or outputs of a task's runs that ended well."""
    lines = lineage.read_text(encoding="utf-8").splitlines()
    events = [event for event in map(json.loads, lines) if event["eventType"] == "COMPLETE"]
    found = [event[side] for event in events if event["job"]["name"] == task]
    assert found, f"no event of {task}"
    return {dataset["name"] for sets in found for dataset in sets}

"""R: runs in Airflow leave their mark in an Airflow Variable, which a restore doesn't reach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.models.variable import Variable
from airflow.utils.session import create_session

from contact_sync.airflow_edge import alert_texts
from local.postgres.server import Cluster
from tests.dags.test_dag_runs import run_dag
from tests.support.restores import rows
from tests.support.world import World

pytestmark = pytest.mark.airflow
KEY = "contact_sync_mark_demo"


def mark() -> dict[str, Any]:
    """What Airflow's database has."""
    with create_session() as session:
        found = session.query(Variable).filter(Variable.key == KEY).one()
        return dict(json.loads(found.get_val()))


def test_R11_a_dag_run_leaves_a_mark_and_reads_the_one_before(
    connected: World, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says whether the run has ended, and what it tells is in the report and in an alert."""
    connected.seed()
    for number in (1, 2):
        assert run_dag()[0] == "success"
        report = connected.report()
        assert mark()["run_id"] == report["id"]
        assert mark()["phase"] == "ended"
        assert report["kind"] == ("full" if number == 1 else "incremental")
    believed = report["id"]
    with rows(cluster, connected.state_url, tmp_path) as restore:
        connected.edit(1, first_name="Other")
        assert run_dag()[0] == "success"
        restore()
    connected.edit(1, first_name="Zoë 1")
    assert run_dag()[0] == "success"
    report = connected.report()
    assert (report["kind"], report["kind_reason"]) == ("resend", "state_went_back")
    connected.assert_converged()

    monkeypatch.setattr(alert_texts, "_sync_run_id", lambda *_: report["id"])
    alert = alert_texts.state_unproven(connected.definition, {"run_id": "manual__x"})
    assert alert is not None
    assert "An earlier run left a mark that the state database doesn't know" in alert.cause
    monkeypatch.setattr(alert_texts, "_sync_run_id", lambda *_: believed)
    assert alert_texts.state_unproven(connected.definition, {"run_id": "manual__x"}) is None


def test_R11_without_its_metadata_database_airflow_runs_on(
    connected: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A mark that can't be read or written is told, and no run fails for it."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no such table: variable")

    monkeypatch.setattr("airflow.sdk.Variable.get", broken)
    monkeypatch.setattr("airflow.sdk.Variable.set", broken)
    connected.seed()
    assert run_dag()[0] == "success"
    assert "can't be written: RuntimeError" in caplog.text
    assert "no such table" not in caplog.text

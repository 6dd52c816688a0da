"""The DAG files: what they contain, what they say, what they cost to import."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.utils.types import DagRunType

from contact_sync.airflow_edge import dag_runs
from tests.support.airflow_home import ROOT

TASKS = [
    "start_run", "settle_earlier_runs", "check_setup", "select_clients", "stage_clients",
    "plan_batches", "approve_plan", "remove_excluded", "send_batch",
    "find_removals", "remove_batch", "finish_run", "release_lease",
]  # fmt: skip

VERIFY_TASKS = {
    "begin_verification", "order_export", "wait_for_export", "load_account_side",
    "load_b2core_side", "compare", "finish_verification", "repair", "prune",
}  # fmt: skip

LIST_DAGS = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
heavy = sorted({"pandas", "pyarrow", "adbc_driver_postgresql", "psycopg"} & set(sys.modules))
schedules = {d.dag_id: type(d.timetable).__name__ for d in bag.dags.values()}
print(json.dumps({"dags": schedules, "errors": bag.import_errors, "heavy": heavy}))
"""

GOOD = "name: {name}\ncaption: {name}\nschedule: '@hourly'\n"


def list_dags(root: Path) -> dict[str, Any]:
    """What a fresh Airflow process finds in a copy of the project."""
    environment = os.environ | {
        "PYTHONPATH": str(root / "plugins"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(root / "plugins"),
    }
    done = subprocess.run(
        [sys.executable, "-c", LIST_DAGS, str(root / "dags")],
        env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project without sync definitions."""
    for folder in ("dags", "plugins", "include"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    for file in (tmp_path / "include" / "syncs").glob("*.yaml"):
        file.unlink()
    return tmp_path


def test_the_repository_has_exactly_these_dags(dagbag: DagBag) -> None:
    """Two DAGs per definition; every file imports."""
    assert dagbag.import_errors == {}
    assert set(dagbag.dags) == {"contact_sync_demo", "contact_sync_demo_verify"}


def test_tasks_are_named_for_data_engineers(dagbag: DagBag) -> None:
    """The tasks in order; each is described in doc_md."""
    dag = dagbag.dags["contact_sync_demo"]
    assert [task.task_id for task in dag.topological_sort()] == TASKS
    assert [task for task in dag_runs.TASKS if task != "read_suppressions"] == TASKS
    assert dag.doc_md is not None
    assert all(task_id in dag.doc_md for task_id in TASKS)


def test_one_run_at_a_time_no_catch_up_retries_and_a_pool(dagbag: DagBag) -> None:
    """What keeps the account safe is set on every DAG and every task that calls SendGrid."""
    dag = dagbag.dags["contact_sync_demo"]
    assert (dag.max_active_runs, dag.catchup) == (1, False)
    assert all((task.retries or 0) >= 2 for task in dag.tasks)
    calls = {task.task_id for task in dag.tasks if task.pool == "sendgrid"}
    assert calls == {
        "start_run", "check_setup", "select_clients", "plan_batches", "remove_excluded",
        "send_batch", "remove_batch",
    }  # fmt: skip


def test_airflows_backfill_of_past_dates_is_refused(dagbag: DagBag) -> None:
    """Each run reads B2CORE as it is now; whatever else starts runs may do so."""
    for dag in dagbag.dags.values():
        if dag.dag_id.startswith("contact_sync_"):
            allowed: Any = dag.allowed_run_types
            refused = {str(kind) for kind in DagRunType} - {kind.value for kind in allowed}
            assert refused == {"backfill"}, dag.dag_id


def test_trigger_form(dagbag: DagBag) -> None:
    """Mode, dry run and reason, with titles, and only valid modes."""
    params = dagbag.dags["contact_sync_demo"].params
    assert list(params) == [
        "mode", "retry_rejected", "dry_run", "reason", "clients", "sample",
        "approve_removals", "approve_plan",
    ]  # fmt: skip
    assert params["mode"] == "incremental"
    assert params.get_param("mode").schema["enum"] == ["incremental", "full", "resend"]
    assert all(params.get_param(name).schema["title"] for name in params)


def test_any_number_of_definitions(project: Path) -> None:
    """S1: each definition file gives its own DAG; importing them costs no heavy library."""
    for name in ("north", "south", "west"):
        (project / "include" / "syncs" / f"{name}.yaml").write_text(GOOD.format(name=name))
    found = list_dags(project)
    names = ("contact_sync_north", "contact_sync_south", "contact_sync_west")
    assert set(found["dags"]) == {*names, *(f"{name}_verify" for name in names)}
    assert found["errors"] == {}
    assert found["heavy"] == []


def test_a_broken_definition_is_an_import_error_and_the_others_work(project: Path) -> None:
    """The error names file, key and fix, in a file of its own: Airflow stops all DAGs of a file
    with an import error."""
    syncs = project / "include" / "syncs"
    (syncs / "good.yaml").write_text(GOOD.format(name="good"))
    (syncs / "bad.yaml").write_text(GOOD.format(name="bad") + "filds: {}\n")
    (syncs / "old.yaml").write_text(GOOD.format(name="old") + "lane: json\n")
    found = list_dags(project)
    assert set(found["dags"]) == {"contact_sync_good", "contact_sync_good_verify"}
    (file, message) = next(iter(found["errors"].items()))
    assert len(found["errors"]) == 1
    assert Path(file).name == "broken_definitions.py"
    assert "bad.yaml: filds: unknown key; did you mean 'fields'? Otherwise delete it" in message
    assert "old.yaml: lane: moved to tuning.lane; write\n  tuning:\n    lane: json" in message


def test_S04_a_disabled_sync_has_no_schedule(project: Path) -> None:
    """`enabled: false` keeps the DAG visible, without a schedule."""
    text = GOOD.format(name="paused") + "enabled: false\n"
    (project / "include" / "syncs" / "paused.yaml").write_text(text)
    (project / "include" / "syncs" / "active.yaml").write_text(GOOD.format(name="active"))
    assert list_dags(project)["dags"] == {
        "contact_sync_paused": "NullTimetable",
        "contact_sync_paused_verify": "NullTimetable",
        "contact_sync_active": "CronTriggerTimetable",
        "contact_sync_active_verify": "CronTriggerTimetable",
    }


def test_V09_a_shadow_has_the_schedule_of_its_verification_only(project: Path) -> None:
    """It sends nothing, and is compared."""
    text = GOOD.format(name="shade") + "shadow: true\n"
    (project / "include" / "syncs" / "shade.yaml").write_text(text)
    assert list_dags(project)["dags"] == {
        "contact_sync_shade": "NullTimetable",
        "contact_sync_shade_verify": "CronTriggerTimetable",
    }


def test_the_dag_that_verifies_is_described_tried_again_and_in_the_pool(dagbag: DagBag) -> None:
    """Each task is in doc_md; what calls SendGrid is in the pool, save what waits deferred."""
    dag = dagbag.dags["contact_sync_demo_verify"]
    assert {task.task_id for task in dag.tasks} == VERIFY_TASKS
    assert dag.doc_md is not None
    assert all(task_id in dag.doc_md for task_id in VERIFY_TASKS)
    assert (dag.max_active_runs, dag.catchup) == (1, False)
    assert all((task.retries or 0) >= 2 and task.execution_timeout for task in dag.tasks)
    calls = {task.task_id for task in dag.tasks if task.pool == "sendgrid"}
    assert calls == {"begin_verification", "order_export", "load_account_side", "compare"}
    assert all(dag.params.get_param(name).schema["title"] for name in dag.params)


def test_airflow_does_not_execute_the_package_file_by_file() -> None:
    """Airflow runs every visible file of plugins/ as a top-level module: `errors`, `models` …"""
    ignored = (ROOT / "plugins" / ".airflowignore").read_text().split()
    folders = [path.name for path in (ROOT / "plugins").iterdir() if path.is_dir()]
    seen = {f"{name}/" for name in folders if name != "__pycache__"}
    assert len(seen) == len(ignored)
    assert [name for name in seen if not any(fnmatch(name, rule) for rule in ignored)] == []

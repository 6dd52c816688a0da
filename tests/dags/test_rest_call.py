"""docs/backfill.md's call of Airflow's REST API, as it stands there, on a real API server."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from local.airflow_stack.settings import LOGIN, PASSWORD
from local.demo.sync import DAG_ID, SYNC
from local.stack.runs import wait
from local.stack.system import Stack
from tests.support.airflow_home import ROOT

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600), pytest.mark.xdist_group("airflow")]


def test_a_full_run_is_started_by_the_documented_call(stack: Stack) -> None:
    """By bash and curl, with nothing changed but address, login and name; values that don't go
    together are answered with the reason."""
    text = (ROOT / "docs" / "backfill.md").read_text(encoding="utf-8")
    (block,) = (b for b in re.findall(r"(?s)```sh\n(.*?)```", text) if "curl" in b)
    script = re.sub("NAME(?![A-Z])", SYNC, block).replace("https://airflow.example.com", stack.url)
    login = json.dumps({"username": LOGIN, "password": PASSWORD})
    script = script.replace('{"username": "…", "password": "…"}', login)
    answer = json.loads(bash(script).stdout)
    assert (answer["dag_id"], answer["conf"]["mode"]) == (DAG_ID, "full")
    assert wait(stack, DAG_ID, answer["dag_run_id"], seconds=240) == "success"
    report = stack.status(SYNC)["runs"][0]
    assert (report["kind"], report["reason"]) == ("full", "phones were repaired")
    refused = bash(script.replace('"mode": "full"', '"dry_run": true, "approve_plan": true'))
    assert refused.returncode != 0
    assert "a dry run changes nothing" in refused.stdout


def bash(script: str) -> subprocess.CompletedProcess[str]:
    """Run it as somebody types it."""
    return subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60
    )

"""Answers for programs: standard output is one JSON document, whatever else is said meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contact_sync.cli import main as cli
from contact_sync.cli.commands import commands
from tests.support.airflow_home import ROOT
from tests.support.world import World

ANSWERS = {
    "check-sql demo": ({"sync", "right", "clients", "findings"}, 0),
    "validate": (None, 0),
    "validate demo --connect": (None, None),
    "plan demo": ({"id", "kind", "counts", "dry_run"}, 0),
    "run demo": ({"id", "kind", "counts", "books"}, 0),
    "verify demo": ({"verification", "equal", "counts"}, 0),
    "repair demo": ({"to_send", "to_remove", "foreign"}, 0),
    "status demo --rejected --dropped --stale": ({"sync", "runs", "rejected", "watch"}, 0),
    "suppressions demo": ({"sync", "read_to", "suppressions"}, 0),
    "explain demo --email ann@example.com": ({"sync", "clients"}, 0),
    "explain demo --client 4711": ({"sync", "clients"}, 1),
    "explain demo --email nobody@example.com": ({"sync", "clients"}, 1),
    "erase demo --client 4711 --reason none --yes": ({"erasures"}, 0),
    "erasures demo": ({"erasures"}, 0),
    "tombstones demo": ({"in_force"}, 0),
    "fields demo": ({"sync", "lists", "fields", "missing", "created"}, 0),
    "syncs": ({"syncs"}, 0),
    "probe sendgrid_default --clean": ({"left"}, 0),
    "prune demo --dry-run": ({"dry_run", "syncs"}, 0),
    "schema": ({"properties"}, 0),
}
"""What is typed, without --json → keys of the document (None: it is a list), and the exit code,
None = a matter of the machine."""


def test_every_command_that_answers_prints_json_and_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On one world; a client that nobody knows is 1, with a document all the same."""
    world.connect_airflow(monkeypatch)
    world.add("ann@example.com")
    world.redefine(suppressions={})
    world.run()
    for typed, (keys, code) in ANSWERS.items():
        ended = cli.main([*typed.split(), "--json"])
        found: Any = json.loads(capsys.readouterr().out)
        assert isinstance(found, list) if keys is None else keys <= found.keys(), typed
        assert ended in (0, 1) if code is None else ended == code, typed
    asked = {typed.split()[0] for typed in ANSWERS}
    assert asked == {each.name for each in commands() if each.usage().prints_json}


def test_airflows_logs_are_on_standard_error(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In a process of its own, in which Airflow reads the connection and sets up logging as it
    does: of a secret that is too short to be masked it warns, on standard output if it may."""
    monkeypatch.setenv("AIRFLOW_CONN_CONTACT_SYNC_STATE", f"{world.state_url}?sslpassword=pw")
    monkeypatch.setenv("AIRFLOW__CORE__MULTI_TEAM", "True")  # so others may know better
    done = subprocess.run(
        [sys.executable, "-m", "contact_sync", "syncs", "--json"],
        cwd=ROOT, env=os.environ | {"AIRFLOW_HOME": str(tmp_path)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"syncs": []}
    assert "Skipping masking for a secret" in done.stderr

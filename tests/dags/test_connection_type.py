"""Airflow knows the connection type "SendGrid" from the plugins folder alone, and tests it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.sendgrid_emulator.process import Emulator
from tests.support.airflow_home import ROOT
from tests.support.world import API_KEY

pytestmark = pytest.mark.airflow


def python(home: Path, *arguments: str, plugins: Path, more: dict[str, str]) -> str:
    """Run Python as in a deployment that only mounts `plugins/`; Airflow writes its settings,
    which have examples of addresses in them, into `home`."""
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins),
        "PYTHONPATH": str(plugins),
    }
    done = subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | settings | more, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_airflow_lists_the_connection_type_of_a_mounted_folder(tmp_path: Path) -> None:
    """No package is installed for it."""
    shutil.copytree(ROOT / "plugins", tmp_path / "plugins")
    plugins, command = tmp_path / "plugins", ["-m", "airflow", "providers", "hooks", "-o", "json"]
    said = python(tmp_path, *command, plugins=plugins, more={})
    hooks = json.loads(said[said.index("[") : said.rindex("]") + 1])
    (ours,) = [hook for hook in hooks if hook["connection_type"] == "sendgrid"]
    assert ours["class"] == "contact_sync.airflow_edge.hook.SendGridHook"
    assert ours["conn_id_attribute_name"] == "sendgrid_conn_id"


KEYS = {
    API_KEY: "Connection success!",
    "SG.wrong": "the API key is wrong, revoked or from another region",
    "SG.mail-only": "lacks the scope marketing.read: give it Marketing: Full Access",
}
"""API keys → what the command says of a connection with it."""
TEST_EACH = """
import sys
sys.stderr = sys.stdout
from airflow.cli.cli_parser import get_parser
for name in sys.argv[1:]:
    print("-- of", name, flush=True)
    options = get_parser().parse_args(["connections", "test", name])
    try:
        options.func(options)
    except SystemExit as end:
        print(end.code, flush=True)
"""


def test_the_command_line_tests_a_connection(emulator: Emulator, tmp_path: Path) -> None:
    """From the environment, as JSON or URI; the key is in no message."""
    emulator.admin.add_key(API_KEY, "full")
    emulator.admin.add_key("SG.mail-only", "none")
    host, port = emulator.base_url.rsplit(":", 1)
    connections: dict[str, str] = {}
    said: dict[str, str] = {}
    for number, (key, wanted) in enumerate(KEYS.items()):
        stored = {"conn_type": "sendgrid", "host": host, "port": int(port), "password": key}
        connections[f"json_{number}"] = json.dumps(stored)
        escaped = host.replace("/", "%2F").replace(":", "%3A")
        connections[f"uri_{number}"] = f"sendgrid://:{key}@{escaped}:{port}"
        said |= {f"json_{number}": wanted, f"uri_{number}": wanted}
    variables = {f"AIRFLOW_CONN_{name.upper()}": text for name, text in connections.items()}
    variables["AIRFLOW__CORE__TEST_CONNECTION"] = "Enabled"
    command = ["-c", TEST_EACH, *said]
    told = python(tmp_path, *command, plugins=ROOT / "plugins", more=variables)
    parts = [part.split(maxsplit=1) for part in told.split("-- of ")[1:]]
    found = {name: " ".join(text.split()) for name, text in parts}
    assert found.keys() == said.keys(), told
    assert [name for name, wanted in said.items() if wanted not in found[name]] == [], told
    assert [key for key in KEYS if key in told] == []

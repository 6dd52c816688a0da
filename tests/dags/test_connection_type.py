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


def airflow(home: Path, *arguments: str, plugins: Path = ROOT / "plugins", **more: str) -> str:
    """Run Airflow's command line as in a deployment that only mounts `plugins/`; it writes its
    settings, which have examples of addresses in them, into `home`."""
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins),
        "PYTHONPATH": str(plugins),
    }
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *arguments],
        env=os.environ | settings | more, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_airflow_lists_the_connection_type_of_a_mounted_folder(tmp_path: Path) -> None:
    """No package is installed for it."""
    shutil.copytree(ROOT / "plugins", tmp_path / "plugins")
    said = airflow(tmp_path, "providers", "hooks", "-o", "json", plugins=tmp_path / "plugins")
    hooks = json.loads(said[said.index("[") : said.rindex("]") + 1])
    (ours,) = [hook for hook in hooks if hook["connection_type"] == "sendgrid"]
    assert ours["class"] == "contact_sync.airflow_edge.hook.SendGridHook"
    assert ours["conn_id_attribute_name"] == "sendgrid_conn_id"


@pytest.mark.parametrize("form", ["json", "uri"])
@pytest.mark.parametrize(
    ("key", "scopes", "said"),
    [
        (API_KEY, "full", "Connection success!"),
        ("SG.wrong", None, "the API key is wrong, revoked or from another region"),
        ("SG.mail-only", "none", "lacks the scope marketing.read: give it Marketing: Full Access"),
    ],
)
def test_the_command_line_tests_a_connection(
    emulator: Emulator, tmp_path: Path, form: str, key: str, scopes: str | None, said: str
) -> None:
    """From the environment, as JSON or URI; the key is in no message."""
    if scopes is not None:
        emulator.admin.add_key(key, scopes)
    host, port = emulator.base_url.rsplit(":", 1)
    connection = {"conn_type": "sendgrid", "host": host, "port": int(port), "password": key}
    uri = f"sendgrid://:{key}@{host.replace('/', '%2F').replace(':', '%3A')}:{port}"
    told = airflow(
        tmp_path, "connections", "test", "sendgrid_default",
        AIRFLOW_CONN_SENDGRID_DEFAULT=json.dumps(connection) if form == "json" else uri,
        AIRFLOW__CORE__TEST_CONNECTION="Enabled",
    )  # fmt: skip
    assert said in " ".join(told.split())
    assert key not in told

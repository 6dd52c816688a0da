"""The emulator as a process: how it starts, ends and dies with its parent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import requests

from local.sendgrid_emulator import process
from local.sendgrid_emulator.process import EmulatorError, start_emulator
from tests.support.api_caller import LISTS, wait_for

COMMAND = [sys.executable, "-m", "local.sendgrid_emulator"]
PORTS = ["--port=0", "--upload-port=0"]
PARENT = """
import sys, time
from local.sendgrid_emulator.process import start_emulator
emulator = start_emulator(api_key="SG.parent", empty_cell="keep")
print(emulator.pid, flush=True)
time.sleep(60)
"""


def has_ended(pid: int) -> bool:
    """Return whether a process runs no more."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_it_serves_where_the_ready_file_says_and_ends_on_sigterm(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    command = [*COMMAND, *PORTS, "--empty-cell=clear", f"--ready-file={ready}"]
    with subprocess.Popen([*command, "--api-key=SG.x:y:full"], cwd=process.ROOT) as running:
        wait_for(ready.exists, bool)
        addresses = json.loads(ready.read_text(encoding="utf-8"))
        assert set(addresses) == {"base_url", "upload_url"}
        headers = {"Authorization": "Bearer SG.x:y"}
        url = addresses["base_url"] + LISTS
        assert requests.get(url, headers=headers, timeout=30).status_code == 200
        assert list(tmp_path.iterdir()) == [ready]
        began = time.monotonic()
        running.terminate()
        assert running.wait(timeout=10) == 0
        assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--empty-cell=guess"],
        ["--empty-cell=keep", "--api-key=SG.x"],
        ["--empty-cell=keep", "--settings={"],
        ["--empty-cell=keep", '--settings={"dealy": 1}'],
    ],
)
def test_a_wrong_command_line_is_refused(arguments: list[str]) -> None:
    done = subprocess.run(
        [*COMMAND, *PORTS, *arguments],
        cwd=process.ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "usage:" in done.stderr


def test_help_explains_every_option_and_setting() -> None:
    done = subprocess.run(
        [*COMMAND, "--help"],
        cwd=process.ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    for word in ("--empty-cell", "--ready-file", "errors_layout", "upload_lifetime", "/__admin"):
        assert word in done.stdout


def test_it_stops_with_its_context_and_stopping_twice_is_harmless() -> None:
    with start_emulator(api_key="SG.key", empty_cell="keep") as emulator:
        assert not has_ended(emulator.pid)
        assert emulator.log() == ""
    assert has_ended(emulator.pid)
    emulator.stop()


def test_it_dies_with_its_parent() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=process.ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not has_ended(pid)
        parent.kill()
    wait_for(lambda: has_ended(pid), bool)


def test_an_emulator_that_cannot_start_says_why() -> None:
    with pytest.raises(EmulatorError, match="dealy"):
        start_emulator(api_key="SG.key", empty_cell="keep", settings={"dealy": 1})


def test_an_emulator_that_was_killed_is_reported() -> None:
    emulator = start_emulator(api_key="SG.key", empty_cell="keep")
    os.kill(emulator.pid, signal.SIGKILL)
    with pytest.raises(EmulatorError, match="-9"):
        emulator.stop()


def test_it_imports_nothing_of_the_product() -> None:
    code = (
        "import sys, local.sendgrid_emulator.__main__, local.sendgrid_emulator.process\n"
        "print([name for name in sys.modules if name.startswith('contact_sync')])"
    )
    paths = os.pathsep.join([str(process.ROOT), str(process.ROOT / "plugins")])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.strip() == "[]"
    sources = Path(process.__file__).parent.glob("*.py")
    assert all("contact_sync" not in source.read_text(encoding="utf-8") for source in sources)

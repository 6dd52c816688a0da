"""`make browser` on a machine without Chromium: it is installed, or told how."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.airflow_home import ROOT

APT_GET = """#!/bin/sh
echo "$@" >> "${0%/*}/calls"
case "$*" in *" install "*)
    printf '#!/bin/sh\\n' > "${0%/*}/chromium"
    chmod +x "${0%/*}/chromium" ;;
esac
"""


def make_browser(programs: Path) -> subprocess.CompletedProcess[str]:
    """Run it where only these programs are found, and sh's own `chmod`."""
    (programs / "chmod").symlink_to("/bin/chmod")
    return subprocess.run(
        [sys.executable, "-m", "local.browser.chromium"], cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=60,
        env={**os.environ, "PATH": str(programs), "PLAYWRIGHT_BROWSERS_PATH": str(programs)},
    )  # fmt: skip


def test_without_a_way_to_install_it_the_ways_are_told(tmp_path: Path) -> None:
    """And `make test` goes on: the tests that need a browser fail with the same words."""
    done = make_browser(tmp_path)
    assert done.returncode == 1
    assert "apt-get install chromium" in done.stderr
    assert ".venv/bin/playwright install chromium" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may install packages")
def test_root_gets_debians_package(tmp_path: Path) -> None:
    """After an update of the lists, and with a font; then it is found."""
    (tmp_path / "apt-get").write_text(APT_GET, encoding="utf-8")
    (tmp_path / "apt-get").chmod(0o755)
    done = make_browser(tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"Browser for tests and screenshots: {tmp_path}/chromium" in done.stdout
    assert (tmp_path / "calls").read_text(encoding="utf-8").splitlines() == [
        "-qq update",
        "-qq install --yes --no-install-recommends chromium fonts-dejavu-core",
    ]

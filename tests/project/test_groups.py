"""The tests that share one Airflow run in one worker: `--dist loadgroup` keeps a group together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

GROUPED = """
import os, pathlib, pytest
@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("n", range(8))
def test_where(n):
    folder = pathlib.Path(__file__).parent
    (folder / f"{os.environ['PYTEST_XDIST_WORKER']}.txt").touch()
"""


def test_a_group_is_run_by_one_worker(tmp_path: Path) -> None:
    """pytest 9.2.0 with pytest-xdist 3.8.0 spread it, and each worker started an Airflow."""
    (tmp_path / "test_grouped.py").write_text(GROUPED)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "2",
        "--dist",
        "loadgroup",
        "-p",
        "no:cov",
    ]
    subprocess.run([*command, str(tmp_path)], cwd=tmp_path, check=True, capture_output=True)
    assert len(list(tmp_path.glob("gw*.txt"))) == 1
